-- Does all that is done elsewhere, on keys of its own: whether Redis is there,
-- takes writes, and lets us do what we need.
-- KEYS: a string, a hash, an order.
local s, h, z = KEYS[1], KEYS[2], KEYS[3]
-- First what a full Redis refuses: behind a write of another kind it would let it pass.
redis.call('SET', s, '1', 'PX', 60000)
redis.call('TIME')
redis.call('DEL', s, h, z)
redis.call('SET', s, '1', 'NX', 'PX', 60000)
redis.call('SET', s, '1', 'KEEPTTL')
redis.call('GET', s)
redis.call('GETRANGE', s, 0, 7)
redis.call('PTTL', s)
redis.call('HSET', h, 'a', '1')
redis.call('PEXPIRE', h, 60000)
redis.call('HGET', h, 'a')
redis.call('HGETALL', h)
redis.call('HDEL', h, 'a')
redis.call('ZADD', z, 'CH', 1, 'a')
redis.call('PEXPIRE', z, 60000)
redis.call('ZSCORE', z, 'a')
redis.call('ZCARD', z)
redis.call('ZRANGE', z, 0, 0, 'WITHSCORES')
redis.call('ZRANGEBYSCORE', z, '-inf', 1, 'LIMIT', 0, 1)
redis.call('ZREM', z, 'a')
redis.call('ZREMRANGEBYSCORE', z, '-inf', 1)
redis.call('ZREMRANGEBYRANK', z, 0, -2)
redis.call('EXISTS', z)
return 1
