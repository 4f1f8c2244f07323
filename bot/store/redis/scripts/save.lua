-- Saves a conversation over the state that it was loaded from, and the answer
-- to the callback with it. The first 8 bytes of a value are its stamp.
-- KEYS: conversation, mark (may be left out).
-- ARGV: stamp it was loaded with ('' for none), value, life in ms, answer, its life in ms.
-- Returns 1, or the value that is there instead ('' for none).
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then
  return redis.call('GET', KEYS[1]) or ''
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5]) end
return 1
