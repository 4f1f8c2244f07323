-- Says into which conversation a callback counts whose chat plain IM and Desk may both
-- report, and notes what it tells of that chat: a JSON object with
--   own      im: plain IM spoke first, all counts into its conversation; desk: into Desk's session
--   session  of Desk; none: Desk has not reported the chat yet
--   began    when plain IM began it, in ms, and begun: the callback of Desk that told the same
--   echoes   what plain IM told lately: at (ms), words, key, and by: Desk's copy of it
-- What makes no sense is not ours, and written over. Only a callback that is claimed counts, or is
-- a copy; one that comes again tells no more than that Desk reports the chat.
-- KEYS: chat, plain IM's conversation, the callback where it is claimed in that (may be left out).
-- ARGV: the callback's key, the token of its claim, Desk's session ('': plain IM tells), words
-- ('': none), begins where the session does and asks where nothing is told, then in ms: how far apart two copies come, for how long
-- a chat is kept, and one of which both tell.
-- Returns {Desk's session ('' for plain IM's conversation), 1 where plain IM's copy is left to
-- Desk, the key of the message that this is a copy of ('' for none, begun for the begin)}.
local key, token, session, words, begins = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == 'begins'
local within, life, long = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ok, chat = pcall(cjson.decode, redis.pcall('GET', KEYS[1]))
if not ok or type(chat) ~= 'table' then chat = {} end

local echoes = {}
for _, e in ipairs(type(chat.echoes) == 'table' and chat.echoes or {}) do
  if type(e) == 'table' and type(e.at) == 'number' and now - e.at <= within then table.insert(echoes, e) end
end
local known = nil -- the echo of this very key
for _, e in ipairs(echoes) do
  if e.key == key then known = e end
end
if chat.own ~= 'im' and chat.own ~= 'desk' then
  local lives = redis.call('EXISTS', KEYS[2]) == 1
  chat = {own = (lives or session == '') and 'im' or 'desk'}
  if session == '' and not lives then chat.began = now end
end
if ARGV[5] == 'asks' then return {chat.own == 'desk' and session or '', 0, ''} end
local claim = KEYS[3] and redis.pcall('GET', KEYS[3])
local first = type(claim) == 'string' and (claim == 'c' .. token or string.match(claim, '^n(.*)|%d+$') == token)

local left, copy = 0, ''
if session == '' then
  if chat.own == 'desk' or chat.session then
    left = 1
    if chat.own == 'desk' then life = long end
  elseif first and words ~= '' and not known then
    table.insert(echoes, {at = now, words = words, key = key})
    if #echoes > 8 then table.remove(echoes, 1) end
  end
else
  chat.session = session
  if chat.own == 'desk' then life = math.max(life, redis.call('PTTL', KEYS[1])) end
  if known then known.by = key end
  if first and begins then
    if type(chat.began) == 'number' and now - chat.began < within and (not chat.begun or chat.begun == key) then
      chat.begun, copy = key, 'begun'
    else -- the next session is another one
      chat.began, chat.begun, echoes = nil, nil, {}
    end
  elseif first and words ~= '' and not known then
    for _, e in ipairs(echoes) do
      if copy == '' and e.words == words and (not e.by or e.by == key) then e.by, copy = key, e.key end
    end
  end
end
chat.echoes = #echoes > 0 and echoes or nil
redis.call('SET', KEYS[1], cjson.encode(chat), 'PX', life)
return {chat.own == 'desk' and chat.session or '', left, copy}
