-- Gives one replica the alarms that their own replica let pass, and puts them
-- off, so that the next one looks only if this one dies too.
-- KEYS: alarms. ARGV: overdue since ms, until then ms, how many.
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], ARGV[2], id) end
return ids
