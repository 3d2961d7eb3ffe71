-- The shared quota of checkresult-stream, protocol 1. What it promises and how to use it: docs/quota.md.
--
-- It hands out slots: times of Redis's own clock, in microseconds, each good for one call. Every slot has a place in a ring
-- of the last `limit` ones; the place is free again when the call has been made and `hold` has passed. As times and freed
-- places both only ever grow along the ring, no window of `hold` holds more than `limit` slots, whoever took them.
--
-- KEYS[1]  a hash, of which this script owns all but `limit`
-- ARGV[1]  how many slots are wanted; 0 looks only
-- ARGV[2]  hold, in microseconds: a second, the caller's guard, and how late it may be for a slot
-- ARGV[3]  burst: slots that may be at once after idling
-- ARGV[4]  the limit, where the key has none yet
-- ARGV[5]  '' or the life in which the caller saw Redis's clock jump
-- ARGV[6]… places whose slots have passed unused: the callers would have them now instead
-- Returns  {now, limit, life, again, first place, {slots}, {moved slots, 0 for one that cannot be moved}}
--          `again`: 0, or microseconds until it is worth asking for what was not given

local AHEAD = 250000 -- no slot is further in the future: so much can be outstanding that is forgotten with the key
local KEPT_MS = 604800000 -- a week without a call, and the key goes

local key, hold = KEYS[1], tonumber(ARGV[2])
local field = function(number) return string.format('%.17g', number) end

-- Of a place: when it is free, and how much later that is than when its slot was handed out.
local get = function(place)
  local free, late = string.match(redis.call('HGET', key, field(place)) or '', '^(%d+) (%d+)$')
  return tonumber(free) or 0, tonumber(late) or 0
end
local set = function(place, free, late)
  redis.call('HSET', key, field(place), field(free) .. ' ' .. field(late))
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local known = redis.call('HMGET', key, 'limit', 'life', 'clock', 'last', 'pace', 'next', 'oldest')
local limit = tonumber(known[1] or ARGV[4])
if not limit or limit < 1 or limit ~= math.floor(limit) then
  return redis.error_reply('BADLIMIT the limit is no whole number from 1 on')
end
local life, clock, last, pace = tonumber(known[2]), tonumber(known[3]), tonumber(known[4]), tonumber(known[5])
local next, oldest = tonumber(known[6]), tonumber(known[7])

-- What is not known to have passed is taken to be happening: a new ring starts full, with slots outstanding.
if not (life and clock and last and pace and next and oldest) or clock - now > hold or ARGV[5] == field(life) then
  redis.call('DEL', key)
  next = math.max(now, next or 0) -- places are never given twice, not even in two lives
  life, oldest, clock = next, next, now
  last = now + AHEAD + hold
  pace = last
end
clock = math.max(clock, now)

for _ = 1, 2 * (tonumber(ARGV[1]) + 1) do
  if oldest == next or get(oldest) > clock then break end
  redis.call('HDEL', key, field(oldest))
  oldest = oldest + 1
end

-- A slot may move as long as nobody has got one that relied on its place being free. Those behind it may not be free
-- before it is.
local moved = {}
for i = 6, #ARGV do
  local place, free = tonumber(ARGV[i]), 0
  if place >= oldest and place < next then free = get(place) end
  local can = free > last
  moved[#moved + 1] = can and clock or 0
  while can and place < next do
    local was, late = get(place)
    if was >= clock + hold then break end
    set(place, clock + hold, late + clock + hold - was)
    place = place + 1
  end
end

local first, slots, again = next, {}, 0
local gap = hold / limit
local burst = math.min(tonumber(ARGV[3]), limit)
local latest = get(next - 1) -- when the place before is free
pace = math.min(pace, last + burst * gap) -- a raised limit counts at once
for _ = 1, tonumber(ARGV[1]) do
  local slot = math.max(clock, last, math.ceil(pace - (burst - 1) * gap))
  local base = slot
  if next - limit >= oldest then
    local free, late = get(next - limit)
    if free > slot then
      -- Waiting for a place saves nothing up, else what came at once would come at once for ever; but what that place
      -- was late is caught up on.
      slot, base = free, math.max(slot, free - late)
      pace = math.max(pace, base + (burst - 1) * gap)
    end
  end
  if slot > now + AHEAD then
    again = slot - now - AHEAD
    break
  end
  latest = math.max(latest, slot + hold)
  set(next, latest, latest - slot - hold)
  last, pace, next = slot, math.max(pace, base) + gap, next + 1
  slots[#slots + 1] = slot
end

redis.call('HSET', key, 'limit', field(limit), 'life', field(life), 'clock', field(clock), 'last', field(last),
  'pace', field(pace), 'next', field(next), 'oldest', field(oldest))
redis.call('PEXPIRE', key, KEPT_MS)
return { now, limit, life, again, first, slots, moved }
