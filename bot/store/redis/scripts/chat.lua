-- Says into which conversation a callback counts whose chat plain IM and Desk may both
-- report, and notes what it tells of that chat. Where Desk spoke first, each session is a
-- conversation, and what is kept is desk, a blank and the session. Where plain IM did, all
-- counts into its conversation, and what is kept is a JSON object with
--   session  of Desk; none: Desk has not reported the chat yet
--   began    when plain IM began it, in ms, and begun: the callback of Desk that told the same
--   echoes   what plain IM told lately: at (ms), words, key, and by: Desk's copy of it
-- What makes no sense is not ours, and written over. Of a chat that is forgotten the caller may know
-- that Desk reports it. Only a callback that is claimed counts, or is
-- a copy; one that comes again tells no more than that Desk reports the chat.
-- KEYS: chat, plain IM's conversation, the callback where it is claimed in that (may be left out).
-- ARGV: the callback's key, the token of its claim, Desk's session ('': plain IM tells), words
-- ('': none), begins where the session does and asks where nothing is told, then in ms: how far
-- apart two copies come, for how long a chat is kept, and one of which Desk spoke first and both tell;
-- then 1 where the caller knows that Desk reports the chat.
-- Returns {Desk's session ('' for plain IM's conversation), 1 where plain IM's copy is left to
-- Desk, the key of the message that this is a copy of ('' for none, begun for the begin)}.
local key, token, session, words, does, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[7]
local v = redis.pcall('GET', KEYS[1])
if type(v) ~= 'string' then v = nil end
if not v and session == '' and ARGV[9] == '1' then return {'', 1, ''} end
local known = not v and redis.call('EXISTS', KEYS[2]) == 1 -- it outlives its chat
local desk = v and string.match(v, '^desk (.*)$')
if desk and session == '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[8])
  return {desk, 1, ''}
elseif desk or not v and not known and session ~= '' then
  if does ~= 'asks' then
    if desk then life = math.max(life, redis.call('PTTL', KEYS[1])) end
    redis.call('SET', KEYS[1], 'desk ' .. session, 'PX', life)
  end
  return {session, 0, ''}
elseif does == 'asks' then
  return {'', 0, ''}
end
if v then life = math.max(life, redis.call('PTTL', KEYS[1])) end -- save.lua may have made it longer
if session ~= '' then life = math.max(life, redis.call('PTTL', KEYS[2])) end -- both tell

local t = redis.call('TIME')
local now, within = t[1] * 1000 + math.floor(t[2] / 1000), tonumber(ARGV[6])
local function near(at) return type(at) == 'number' and math.abs(now - at) <= within end -- the clock may have been set back
local function text(s) return type(s) == 'string' and s or nil end
local ok, was = pcall(cjson.decode, v)
if not ok or type(was) ~= 'table' then was = {} end
local chat = {session = text(was.session), began = near(was.began) and was.began or nil, begun = text(was.begun)}
if session == '' and not v and not known then chat.began = now end
local echoes, own = {}, nil -- own is the echo of this very key
for _, e in ipairs(type(was.echoes) == 'table' and was.echoes or {}) do
  if type(e) == 'table' and near(e.at) and text(e.words) and text(e.key) then
    table.insert(echoes, {at = e.at, words = e.words, key = e.key, by = text(e.by)})
    if e.key == key then own = echoes[#echoes] end
  end
end
local claim = KEYS[3] and redis.pcall('GET', KEYS[3])
local first = type(claim) == 'string' and (claim == 'c' .. token or string.match(claim, '^n(.*)|%d+$') == token)

local left, copy = 0, ''
if session == '' then
  if chat.session then
    left = 1
  elseif first and words ~= '' and not own then
    table.insert(echoes, {at = now, words = words, key = key})
    local said, oldest = 0, nil -- of the same speaker: a message of the bot that grows must not push out the customer's
    for n = #echoes, 1, -1 do
      if string.byte(echoes[n].words) == string.byte(words) then said, oldest = said + 1, n end
    end
    if said > 8 then table.remove(echoes, oldest) end
  end
else
  chat.session = session
  if own then own.by = key end
  if first and does == 'begins' then
    if chat.began and (not chat.begun or chat.begun == key) then
      chat.begun, copy = key, 'begun'
    else -- the next session is another one
      chat.began, chat.begun, echoes = nil, nil, {}
    end
  elseif first and words ~= '' and not own then
    for _, e in ipairs(echoes) do
      if copy == '' and e.words == words and (not e.by or e.by == key) then e.by, copy = key, e.key end
    end
  end
end
chat.echoes = #echoes > 0 and echoes or nil
redis.call('SET', KEYS[1], cjson.encode(chat), 'PX', life)
return {'', left, copy}
