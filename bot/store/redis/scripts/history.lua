-- Keeps entries of a session's history, the oldest out where there are too many.
-- KEYS: entries, what each session takes, sessions by their last entry, bytes of all, session of the user.
-- ARGV: session, user or '', now in ms, life in ms, bytes and entries of one session at most, entries.
-- What a session takes is BYTES USER. Returns {bytes of all sessions, when the last entry of the oldest one was kept}.
local session, user, life = ARGV[1], ARGV[2], ARGV[4]
local was, whose = string.match(redis.call('HGET', KEYS[2], session) or '0 ', '^(%d+) (.*)$')
was = tonumber(was)
local bytes = was
if redis.call('EXISTS', KEYS[1]) == 0 then bytes = 0 end
for i = 7, #ARGV do
  redis.call('RPUSH', KEYS[1], ARGV[i])
  bytes = bytes + #ARGV[i]
end
while bytes > tonumber(ARGV[5]) or redis.call('LLEN', KEYS[1]) > tonumber(ARGV[6]) do
  local first = redis.call('LPOP', KEYS[1])
  if not first then break end
  bytes = bytes - #first
end
if user ~= '' then
  whose = user
  redis.call('SET', KEYS[5], session, 'PX', life)
end
redis.call('HSET', KEYS[2], session, string.format('%d %s', bytes, whose))
redis.call('ZADD', KEYS[3], ARGV[3], session)
local all = redis.call('INCRBY', KEYS[4], bytes - was)
for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], life) end
local oldest = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
return {all, tonumber(oldest)}
