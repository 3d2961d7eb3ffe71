-- The shared quota of checkresult-stream, protocol 1. What it promises and how to use it: docs/quota.md.
--
-- It hands out slots: times of Redis's own clock, in microseconds, each good for one call. Every slot has a place in a ring
-- of the last `limit` ones; the place is free again when `hold` has passed since its call was made, and as long as nobody
-- has told when that was, since the last moment it may be made. No slot is before its place is free. So two calls of one
-- place are more than `hold` apart, and no window of `hold` holds more calls than the ring has places, whoever made them.
-- Where the limit changes the places are others: no slot is then before all are free that the new ring leaves out.
--
-- KEYS[1]  a hash, of which this script owns all but `limit`
-- ARGV[1]  how many slots are wanted; 0 looks only
-- ARGV[2]  hold, in microseconds: a second, and the caller's guard
-- ARGV[3]  how late a call may be made for its slot
-- ARGV[4]  burst: slots that may be at once after idling
-- ARGV[5]  the limit, where the key has none yet
-- ARGV[6]  '' or the life in which the caller saw Redis's clock jump
-- ARGV[7]… pairs: a place of the caller's, and when its call was made at the latest; or 0 where the slot has passed unused:
--          the caller would have it now instead
-- Returns  {now, limit, life, again, first place, {slots}, {moved slots, 0 for one that cannot be moved}}
--          `again`: 0, or microseconds until it is worth asking for what was not given

local AHEAD = 250000 -- no slot is further in the future: so much can be outstanding that is forgotten with the key
local CATCH_UP = 100000 -- late calls are made up for by slots closer together, until the row is so far behind
local KEPT_MS = 604800000 -- a week without a call, and the key goes

local key, hold, lateness = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local field = function(number) return string.format('%.17g', number) end

-- Of a place: when it is free, and when it would be in an even row of slots with no call late.
local get = function(place)
  local free, even = string.match(redis.call('HGET', key, field(place)) or '', '^(%d+) (%d+)$')
  return tonumber(free) or 0, tonumber(even) or 0
end
local set = function(place, free, even)
  redis.call('HSET', key, field(place), field(free) .. ' ' .. field(even))
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local names = { 'limit', 'life', 'clock', 'last', 'pace', 'next', 'oldest', 'size', 'floor', 'relied' }
local known = redis.call('HMGET', key, unpack(names))
local limit = tonumber(known[1] or ARGV[5])
if not limit or limit < 1 or limit ~= math.floor(limit) then
  return redis.error_reply('BADLIMIT the limit is no whole number from 1 on')
end
local isWhole = true
for i = 2, #names do
  known[i] = tonumber(known[i])
  isWhole = isWhole and known[i] ~= nil
end
-- `size`: the limit the last slot was given under. No slot is before `floor`. Slots rely on places up to `relied`.
local life, clock, last, pace, next, oldest, size, floor, relied = unpack(known, 2, #names)

-- What is not known to have passed is taken to be happening: a new ring starts full, with slots outstanding.
if not isWhole or clock - now > hold or ARGV[6] == field(life) then
  redis.call('DEL', key)
  next = math.max(now, next or 0) -- places are never given twice, not even in two lives
  life, oldest, clock, size, relied = next, next, now, limit, next - 1
  floor = now + AHEAD + lateness + hold
  last, pace = floor, floor
end
clock = math.max(clock, now)

for _ = 1, 2 * (tonumber(ARGV[1]) + 1) do
  if oldest == next or get(oldest) > clock then break end
  redis.call('HDEL', key, field(oldest))
  oldest = oldest + 1
end

local moved = {}
for i = 7, #ARGV, 2 do
  local place, made = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local isOurs = place >= oldest and place < next
  local free, even = 0, 0
  if isOurs then free, even = get(place) end
  if made == 0 then
    local can = isOurs and place > relied
    moved[#moved + 1] = can and clock or 0
    if can then set(place, clock + lateness + hold, even) end
  elseif made + hold < free then
    set(place, math.ceil(made + hold), even)
  end
end

if size ~= limit then
  for place = oldest, next - limit - 1 do floor = math.max(floor, (get(place))) end
  size, relied = limit, math.max(relied, next - limit - 1)
end

local first, slots, again = next, {}, 0
local gap = hold / limit
local burst = math.min(tonumber(ARGV[4]), limit)
local saved = (burst - 1) * gap
pace = math.min(pace, last + burst * gap) -- a raised limit counts at once
for _ = 1, tonumber(ARGV[1]) do
  local base = math.max(clock, math.ceil(pace - saved)) -- when it would be in an even row
  local slot = math.max(base, floor)
  local row = math.max(pace, base)
  local free, even = 0, 0
  if next - limit >= oldest then free, even = get(next - limit) end
  if free > slot then
    -- Waiting for a place saves nothing up, else what came at once after idling would come at once for ever; but what
    -- that place was late is caught up on.
    slot, base = free, math.max(base, free - math.max(0, math.min(free - even, CATCH_UP)))
    row = math.max(row, base + saved)
  end
  if slot > now + AHEAD then
    again = slot - now - AHEAD
    break
  end
  set(next, slot + lateness + hold, base + hold)
  relied = math.max(relied, next - limit)
  last, pace, next = math.max(last, slot), row + gap, next + 1
  slots[#slots + 1] = slot
end

redis.call('HSET', key, 'limit', field(limit), 'life', field(life), 'clock', field(clock), 'last', field(last),
  'pace', field(pace), 'next', field(next), 'oldest', field(oldest), 'size', field(size), 'floor', field(floor),
  'relied', field(relied))
redis.call('PEXPIRE', key, KEPT_MS)
return { now, limit, life, again, first, slots, moved }
