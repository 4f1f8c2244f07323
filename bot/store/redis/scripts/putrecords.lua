-- Puts records, see records.lua. KEYS and ARGV are those that stand there.
-- Returns 0 when one has changed, else how many of each kind went early.
if conflict(KEYS, ARGV) then return 0 end
return put(KEYS, ARGV)
