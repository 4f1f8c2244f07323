-- Counts the outbox. KEYS: records, due, ready, leased, given, waiting, ended. ARGV: how many to look at for the oldest.
-- Returns {on their way, given up, when the oldest one on its way was decided in µs, 0 for none}.
local oldest = 0
for _, order in ipairs({KEYS[2], KEYS[3], KEYS[4]}) do
  for _, id in ipairs(redis.call('ZRANGE', order, 0, ARGV[1] - 1)) do
    local created = string.match(redis.call('HGET', KEYS[1], id) or '', '^p|[^|]*|(%d+)|')
    if created and (oldest == 0 or tonumber(created) < oldest) then oldest = tonumber(created) end
  end
end
local pending = redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) + redis.call('ZCARD', KEYS[4])
return {pending, redis.call('ZCARD', KEYS[5]), string.format('%.0f', oldest)}
