-- Renews the leases that are still the caller's.
-- KEYS: records, due, ready, leased, given, waiting, ended. ARGV: lease in ms, then id and token by turns.
local t = redis.call('TIME')
local ends = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1]
local renewed = 0
for i = 2, #ARGV, 2 do
  local r = redis.call('HGET', KEYS[1], ARGV[i])
  if r and string.match(r, '^.|[^|]*|%d+|%d+|([^|]*)|') == ARGV[i + 1] then
    renewed = renewed + redis.call('ZADD', KEYS[4], 'XX', 'CH', ends, ARGV[i])
  end
end
return renewed
