-- Gives up a callback that is still ours: it is forgotten or, where it is counted
-- into its conversation, the next one's. KEYS: callback. ARGV: token.
local v = redis.call('GET', KEYS[1])
if v == 'c' .. ARGV[1] then return redis.call('DEL', KEYS[1]) end
if v and string.match(v, '^n(.*)|%d+$') == ARGV[1] then redis.call('SET', KEYS[1], 'n' .. ARGV[1] .. '|0', 'KEEPTTL') end
return 0
