-- Saves a conversation (save.lua) and the records that changed with it (records.lua), all or
-- nothing.
-- KEYS: those of save.lua, and then those of records.lua.
-- ARGV: the number of keys and of arguments of save.lua, those, and then those of records.lua.
-- Returns 0 when a record has changed, the conversation that is there instead, or how many
-- records of each kind went early.
local function split(list, from, n)
  return {unpack(list, from, from + n - 1)}, {unpack(list, from + n)}
end
local keys, recordKeys = split(KEYS, 1, ARGV[1])
local args, recordArgs = split(ARGV, 3, ARGV[2])
if conflict(recordKeys, recordArgs) then return 0 end
local newer = save(keys, args)
if newer ~= 1 then return newer end
return put(recordKeys, recordArgs)
