-- Moves a value that is not ours, or damaged, to where people can look at it.
-- KEYS: the key, where to. ARGV: the type that we give it, life in ms, and for
-- one of that type the value that makes no sense; another one was mended meanwhile.
-- Returns the type of what was moved, or ''.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return '' end
if kind == ARGV[1] and (not ARGV[3] or redis.call('GET', KEYS[1]) ~= ARGV[3]) then return '' end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return kind
