-- Saves a conversation over the state that it was loaded from, and with it what
-- became of the callback (claim.lua). The first 8 bytes of a value are its stamp.
-- KEYS: conversation, callback (may be left out), chat that is kept as long as the
--       conversation (may be left out).
-- ARGV: stamp it was loaded with ('' for none), value, life in ms, then of the
--       callback: value, life in ms, and the life of the claim in ms where it is
--       counted and not answered.
-- Returns 1, or the value that is there instead ('' for none).
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then
  return redis.call('GET', KEYS[1]) or ''
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if KEYS[2] then
  local v = ARGV[4]
  if ARGV[6] then
    local t = redis.call('TIME')
    v = string.format('n%s|%.0f', v, t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[6])
  end
  redis.call('SET', KEYS[2], v, 'PX', ARGV[5])
end
if KEYS[3] and redis.call('PTTL', KEYS[3]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[3], ARGV[3]) end
return 1
