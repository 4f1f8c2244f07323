-- Claims a callback, and reads its conversation on the way. What is kept of a
-- callback is c and the token of who works on it; a and its answer; x where the
-- answer is not kept; or n, token, | and the ms until which somebody works on it,
-- for one that is counted into its conversation and not answered. Anything else is
-- not ours, and written over.
-- KEYS: callback, conversation (may be left out). ARGV: token, life of a claim in ms.
-- Returns {1, conversation or ''} to the first, {2, conversation or ''} to the
-- first after one that was counted was given up, {0, value} to the others.
local function claimed(first)
  if not KEYS[2] then return {first, ''} end
  -- A conversation of a foreign type is for the caller to find when it saves.
  local c = redis.pcall('GET', KEYS[2])
  if type(c) ~= 'string' then c = '' end
  return {first, c}
end

if redis.call('SET', KEYS[1], 'c' .. ARGV[1], 'NX', 'PX', ARGV[2]) then return claimed(1) end
local v = redis.call('GET', KEYS[1])
if string.match(v, '^[cax]') then return {0, v} end
local ends = string.match(v, '^n.*|(%d+)$')
if not ends then
  redis.call('SET', KEYS[1], 'c' .. ARGV[1], 'PX', ARGV[2])
  return claimed(1)
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if tonumber(ends) > now then return {0, v} end
redis.call('SET', KEYS[1], string.format('n%s|%.0f', ARGV[1], now + ARGV[2]), 'KEEPTTL')
return claimed(2)
