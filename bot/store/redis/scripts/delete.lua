-- Removes a transfer. KEYS: records, due, ready, leased, given, waiting. ARGV: id, episode.
-- Returns 1, or 0 when it is not there or another episode is.
local id = ARGV[1]
local old = redis.call('HGET', KEYS[1], id)
if not old or string.match(old, '^.|([^|]*)|') ~= ARGV[2] then return 0 end
for i = 2, 6 do redis.call('ZREM', KEYS[i], id) end
redis.call('HDEL', KEYS[1], id)
return 1
