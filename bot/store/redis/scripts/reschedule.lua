-- Has a transfer that waits for an agent tried at another time.
-- KEYS: records, due, ready, leased, given, waiting, ended. ARGV: id, due in µs, life in ms.
-- Returns 1, or 0 when it does not wait or is being tried.
local id = ARGV[1]
if not redis.call('ZSCORE', KEYS[6], id) or redis.call('ZSCORE', KEYS[4], id) then return 0 end
local r = redis.call('HGET', KEYS[1], id)
local head, rest = string.match(r or '', '^(w|[^|]*|%d+|)%d+()')
if not head then return 0 end
redis.call('HSET', KEYS[1], id, head .. ARGV[2] .. string.sub(r, rest))
redis.call('ZREM', KEYS[3], id)
redis.call('ZADD', KEYS[2], ARGV[2], id)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
