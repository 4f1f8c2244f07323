-- Records (records.go), each kind in a hash of values, in the order of puts, and in that of
-- ends. A value is VERSION|END|…, the end in ms, 0 for none; one that is not is not ours,
-- and written over. A version is the µs of the put, and never comes again.
-- keys: version of what was put last, then of each kind: values, order, ends.
-- args: now in ms by the caller's clock, as the ends are; life of the keys in ms; number of
--       kinds; the cap of each; then of each record: number of its kind, name, version that
--       it must have (0: it is not there), end in ms or 0, and 1 and its value or 0 and ''.

-- The three keys of a kind.
local function of(keys, kind) return keys[3 * kind - 1], keys[3 * kind], keys[3 * kind + 1] end

-- Calls what with kind, name, version, end, 1 or 0 and value of each record.
local function each(args, what)
  for n = 4 + args[3], #args, 6 do
    local stop = what(tonumber(args[n]), unpack(args, n + 1, n + 5))
    if stop then return stop end
  end
end

-- Whether one has changed. It reads all that put writes, so that a foreign value is found
-- before anything is written.
local function conflict(keys, args)
  redis.call('GET', keys[1])
  for kind = 1, args[3] do
    local _, order, ends = of(keys, kind)
    redis.call('ZCARD', order)
    redis.call('ZCARD', ends)
  end
  return each(args, function(kind, name, version)
    local there, till = string.match(redis.call('HGET', (of(keys, kind)), name) or '', '^(%d+)|(%d+)|')
    if not there or till ~= '0' and tonumber(till) <= tonumber(args[1]) then there = '0' end
    return there ~= version
  end)
end

-- Puts them all, and forgets what is over, or too much. Returns how many of each kind went
-- early.
local function put(keys, args)
  local t = redis.call('TIME')
  local version = math.max((tonumber(redis.call('GET', keys[1])) or 0), t[1] * 1000000 + t[2] - 1)
  -- A full Redis refuses this, before anything is changed.
  redis.call('SET', keys[1], string.format('%.0f', version + (#args - 3 - args[3]) / 6), 'PX', args[2])
  local function forget(kind, names)
    local values, order, ends = of(keys, kind)
    for _, name in ipairs(names) do
      redis.call('HDEL', values, name)
      redis.call('ZREM', order, name)
      redis.call('ZREM', ends, name)
    end
  end
  each(args, function(kind, name, _, till, there, value)
    version = version + 1
    if there == '0' then return forget(kind, {name}) end
    local values, order, ends = of(keys, kind)
    local v = string.format('%.0f', version)
    redis.call('HSET', values, name, v .. '|' .. till .. '|' .. value)
    redis.call('ZADD', order, v, name)
    if till == '0' then redis.call('ZREM', ends, name) else redis.call('ZADD', ends, till, name) end
  end)
  local early = {}
  for kind = 1, args[3] do
    local values, order, ends = of(keys, kind)
    forget(kind, redis.call('ZRANGEBYSCORE', ends, '-inf', args[1], 'LIMIT', 0, 100))
    early[kind] = math.max(0, redis.call('ZCARD', order) - args[3 + kind])
    if early[kind] > 0 then
      early[kind] = math.min(early[kind], 1000)
      forget(kind, redis.call('ZRANGE', order, 0, early[kind] - 1))
    end
    for _, key in ipairs({values, order, ends}) do redis.call('PEXPIRE', key, args[2]) end
  end
  return early
end
