-- Removes the history of a session.
-- KEYS: entries, what each session takes, sessions by their last entry, bytes of all.
-- ARGV: session, the time of its last entry in ms or '': then it goes also if there are newer ones.
-- Returns the bytes of all sessions.
local session = ARGV[1]
if ARGV[2] ~= '' and tonumber(redis.call('ZSCORE', KEYS[3], session) or -1) ~= tonumber(ARGV[2]) then
  return tonumber(redis.call('GET', KEYS[4]) or 0)
end
local bytes = string.match(redis.call('HGET', KEYS[2], session) or '0 ', '^(%d+)')
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[2], session)
redis.call('ZREM', KEYS[3], session)
local life = redis.call('PTTL', KEYS[2])
local all = redis.call('DECRBY', KEYS[4], bytes)
if life > 0 then redis.call('PEXPIRE', KEYS[4], life) else redis.call('DEL', KEYS[4]) end
return all
