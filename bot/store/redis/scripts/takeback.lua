-- Removes a transfer that was put before its conversation could be saved, and
-- was not published. Where its conversation, or another replica that has met it
-- meanwhile (put.lua), counts on it, it is published instead: rather asked for
-- twice than never. What another replica has taken over is that one's.
-- KEYS: records, due, ready, leased, given, waiting, ended.
-- ARGV: id, episode, life in ms, '1' if its conversation counts on it.
-- Returns 1 when it is gone, 2 when it is published, 0 when it is not ours (any more).
local id = ARGV[1]
local r = redis.call('HGET', KEYS[1], id)
if not r then return 0 end
local head, episode, due, doubt, rest = string.match(r, '^(.|([^|]*)|%d+|(%d+)|[^|]*)|(.)|()')
if episode ~= ARGV[2] or (doubt ~= 'n' and doubt ~= 'w') then return 0 end
for i = 2, 6 do redis.call('ZREM', KEYS[i], id) end
if doubt == 'n' and ARGV[4] ~= '1' then
  redis.call('HDEL', KEYS[1], id)
  return 1
end
-- Not to be taken back a second time: by then somebody may be trying it.
redis.call('HSET', KEYS[1], id, head .. '|1|' .. string.sub(r, rest))
redis.call('ZADD', KEYS[2], due, id)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 2
