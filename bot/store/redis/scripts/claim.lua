-- Claims the mark of a callback, and reads its conversation on the way.
-- KEYS: mark, conversation (may be left out). ARGV: the claim, its life in ms.
-- Returns {1, conversation or ''} to the first, {0, mark} to the others.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  if not KEYS[2] then return {1, ''} end
  -- A conversation of a foreign type is for the caller to find when it saves.
  local c = redis.pcall('GET', KEYS[2])
  if type(c) ~= 'string' then c = '' end
  return {1, c}
end
return {0, redis.call('GET', KEYS[1])}
