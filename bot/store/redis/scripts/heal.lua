-- Puts transfers back that have lost their place, because somebody wrote over
-- an order of the outbox. Who had one leased keeps it.
-- KEYS: records, due, ready, leased, given, waiting. ARGV: lease in ms, life in ms.
local t = redis.call('TIME')
local ends = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1]
for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
  local r = redis.call('HGET', KEYS[1], id)
  local state, due, token = string.match(r, '^(.)|[^|]*|%d+|(%d+)|([^|]*)|')
  due = math.min(tonumber(due or 0), 1e18) -- 0: one that cannot be read, which take.lua finds
  if state == 'w' then redis.call('ZADD', KEYS[6], due, id) end
  local placed = false
  for i = 2, 5 do placed = placed or redis.call('ZSCORE', KEYS[i], id) end
  if placed then -- nothing to mend
  elseif state == 'g' then redis.call('ZADD', KEYS[5], due, id)
  elseif state and token ~= '' then redis.call('ZADD', KEYS[4], ends, id)
  else redis.call('ZADD', KEYS[2], due, id) end
end
for i = 2, 6 do redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
return 1
