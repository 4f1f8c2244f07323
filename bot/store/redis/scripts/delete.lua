-- Removes a transfer, and notes that it has ended: whoever put it will not take it
-- for lost (missing.lua).
-- KEYS: records, due, ready, leased, given, waiting, ended.
-- ARGV: id, episode, how long that is noted in ms, of how many.
-- Returns 1, or 0 when it is not there or another episode is.
local id, t = ARGV[1], redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[7], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[7], '-inf', now - ARGV[3])
redis.call('ZREMRANGEBYRANK', KEYS[7], 0, -1 - ARGV[4])
redis.call('PEXPIRE', KEYS[7], ARGV[3])
local old = redis.call('HGET', KEYS[1], id)
if not old or string.match(old, '^.|([^|]*)|') ~= ARGV[2] then return 0 end
for i = 2, 6 do redis.call('ZREM', KEYS[i], id) end
redis.call('HDEL', KEYS[1], id)
return 1
