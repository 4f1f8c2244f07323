-- Puts a transfer into the outbox.
-- KEYS: records, due, ready, leased, given, waiting, ended.
-- ARGV: id, record, due in µs, lease in ms or '', life in ms.
-- A record is STATE|EPISODE|CREATED µs|DUE µs|TOKEN|DOUBT|JSON; STATE is p, w or g,
-- DOUBT is 0 for none, n for one that is not published yet, w when somebody else
-- wanted one meanwhile, and 1 after its lease ran out. The JSON does not repeat
-- what stands before it.
-- With a lease it is the caller's, who says when it may be tried (store.lua).
-- Returns 1, or 0 when one of the conversation is on its way or being tried.
local id = ARGV[1]
local old = redis.call('HGET', KEYS[1], id)
if old then
  if string.match(old, '^p|[^|]*|%d+|%d+|') or redis.call('ZSCORE', KEYS[4], id) then
    local head, rest = string.match(old, '^(p|[^|]*|%d+|%d+|[^|]*)|n|()')
    if head then redis.call('HSET', KEYS[1], id, head .. '|w|' .. string.sub(old, rest)) end
    return 0
  end
  for i = 2, 6 do redis.call('ZREM', KEYS[i], id) end
end
redis.call('HSET', KEYS[1], id, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if old then -- it has ended
  redis.call('ZADD', KEYS[7], now, string.match(old, '^.|([^|]*)|') or '')
  redis.call('PEXPIRE', KEYS[7], ARGV[5])
end
if ARGV[4] == '' then
  redis.call('ZADD', KEYS[2], ARGV[3], id)
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
else
  redis.call('ZADD', KEYS[4], now + ARGV[4], id)
  redis.call('PEXPIRE', KEYS[4], ARGV[5])
end
return 1
