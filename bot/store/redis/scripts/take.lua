-- Leases the oldest transfer that is due; those that may be forged (Transfer.Unproven)
-- behind all others, and of a crowd of them the oldest and the newest in turn.
-- KEYS: records, due, ready, leased, given, waiting, ended.
-- ARGV: now in µs (by the caller's clock, as the due times are), token, lease in ms,
--       life in ms, forget those given up before this (µs), how many of them are kept.
-- Returns {1, record, id}, {2, record, id} for one that makes no sense, or
-- {0, when the next one is due in µs or -1}.
local life = ARGV[4]
local t = redis.call('TIME')
local clock = t[1] * 1000 + math.floor(t[2] / 1000)

-- Those that may be forged stand behind this in the order of age.
local behind, crowd = 1e17, 256

-- Moves one to those that are ready, which are in order of age.
local function ready(id, over)
  local r = redis.call('HGET', KEYS[1], id)
  if not r then return end -- somebody removed it by hand
  local head, created, rest = string.match(r, '^(.|[^|]*|(%d+)|%d+|[^|]*)|[01nw]|()')
  if over and head then
    redis.call('HSET', KEYS[1], id, head .. '|1|' .. string.sub(r, rest))
  end
  local age = math.min(tonumber(created or 0), behind - 1)
  if string.find(r, '"unproven":true', 1, true) then age = age + behind end
  redis.call('ZADD', KEYS[3], age, id)
end

-- A lease that ran out: its replica died, perhaps after it called Desk.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', clock, 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[4], id)
  ready(id, true)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 1000)) do
  redis.call('ZREM', KEYS[2], id)
  ready(id, false)
end
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('PEXPIRE', KEYS[3], life) end

local function forget(ids)
  for _, id in ipairs(ids) do
    redis.call('ZREM', KEYS[5], id)
    redis.call('HDEL', KEYS[1], id)
  end
end
forget(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', ARGV[5], 'LIMIT', 0, 100))
local many = redis.call('ZCARD', KEYS[5]) - ARGV[6]
if many > 0 then forget(redis.call('ZRANGE', KEYS[5], 0, math.min(many, 100) - 1)) end

while true do
  local id, age = unpack(redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES'))
  if not id then break end
  local many = redis.call('ZCARD', KEYS[3])
  if tonumber(age) >= behind and many > crowd and many % 2 == 0 then id = redis.call('ZRANGE', KEYS[3], -1, -1)[1] end
  redis.call('ZREM', KEYS[3], id)
  local r = redis.call('HGET', KEYS[1], id)
  if r then
    local head, rest = string.match(r, '^(.|[^|]*|%d+|%d+|)[^|]*()|[01nw]|')
    if not head then return {2, r, id} end
    r = head .. ARGV[2] .. string.sub(r, rest)
    redis.call('HSET', KEYS[1], id, r)
    redis.call('PEXPIRE', KEYS[1], life)
    redis.call('ZADD', KEYS[4], clock + ARGV[3], id)
    redis.call('PEXPIRE', KEYS[4], life)
    return {1, r, id}
  end
end

local next = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return {0, next[2] or '-1'}
