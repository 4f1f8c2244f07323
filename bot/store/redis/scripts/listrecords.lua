-- Returns some records of a kind in the order of their puts, see records.lua.
-- KEYS: values, order. ARGV: the version behind which they begin, how many.
-- Returns name, value, name, value …
local found = {}
local names = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
for _, name in ipairs(names) do
  table.insert(found, name)
  table.insert(found, redis.call('HGET', KEYS[1], name) or '')
end
return found
