-- Stores what became of an attempt, or that the conversation of a new transfer
-- is saved, and ends the lease.
-- KEYS: records, due, ready, leased, given, waiting, ended.
-- ARGV: id, episode, record, state, due in µs, token or '', life in ms.
-- Returns 1, or 0 when the transfer was withdrawn, replaced, or taken over.
local id = ARGV[1]
local old = redis.call('HGET', KEYS[1], id)
if not old then return 0 end
local episode, token = string.match(old, '^.|([^|]*)|%d+|%d+|([^|]*)|')
if episode ~= ARGV[2] then return 0 end
if redis.call('ZSCORE', KEYS[4], id) and token ~= ARGV[6] then return 0 end
for i = 2, 6 do redis.call('ZREM', KEYS[i], id) end
redis.call('HSET', KEYS[1], id, ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
local order = KEYS[2]
if ARGV[4] == 'g' then order = KEYS[5] end
redis.call('ZADD', order, ARGV[5], id)
redis.call('PEXPIRE', order, ARGV[7])
if ARGV[4] == 'w' then
  redis.call('ZADD', KEYS[6], ARGV[5], id)
  redis.call('PEXPIRE', KEYS[6], ARGV[7])
end
return 1
