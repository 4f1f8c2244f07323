-- Says what became of transfers that were put.
-- KEYS: records, due, ready, leased, given, waiting, ended. ARGV: id and episode by turns.
-- Returns a letter each: h for one that is held, e for one that has ended, was given
-- up or replaced, m for one that is missing.
local said = {}
for i = 1, #ARGV, 2 do
  local r = redis.call('HGET', KEYS[1], ARGV[i])
  local state, episode = string.match(r or '', '^(.)|([^|]*)|')
  local letter = 'm'
  if r and (episode ~= ARGV[i + 1] or state == 'g') then letter = 'e'
  elseif r then letter = 'h'
  elseif redis.call('ZSCORE', KEYS[7], ARGV[i + 1]) then letter = 'e' end
  said[#said + 1] = letter
end
return table.concat(said)
