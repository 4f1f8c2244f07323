-- One bucket for all replicas (GCRA: the generic cell rate algorithm, ITU-T I.371).
-- KEYS: rate. ARGV: time per transfer in µs, burst in µs.
-- Returns how long to wait before the next in µs, 0 for not at all.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local at = tonumber(redis.call('GET', KEYS[1]) or 0)
-- Not a number, or later than any turn can be: it is a stranger's, the rate was
-- other, or the clock was set back. Nobody waits for more than one bucket.
if not at or not (at >= now) then at = now end
if at > now + ARGV[2] then
  at = now + ARGV[2]
  redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', math.ceil(ARGV[2] / 1000) + 1000)
end
local wait = at + ARGV[1] - now - ARGV[2]
if wait > 0 then return math.ceil(wait) end
at = at + ARGV[1]
redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 1000)
return 0
