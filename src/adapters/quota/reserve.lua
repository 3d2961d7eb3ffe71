-- The shared quota of checkresult-stream, protocol 1. Promises and usage: docs/quota.md.
--
-- The script grants slots: times of Redis's own clock, in microseconds, each good for one call. Every slot has a place in a
-- ring of the last `limit` slots. A place is free again when `hold` has passed since its call was made. Until the caller
-- reports when that was, the latest possible moment counts. No slot is earlier than the time its place becomes free, so two
-- calls of one place are more than `hold` apart, and no window of `hold` contains more calls than the ring has places,
-- whoever made them. If the limit changes, the ring changes too: no slot is then earlier than the time when all places that
-- the new ring leaves out are free.
--
-- KEYS[1]  a hash. This script owns all its fields except `limit`.
-- ARGV[1]  number of slots requested; 0 only reads the state
-- ARGV[2]  hold, in microseconds: one second plus the caller's guard
-- ARGV[3]  how late a call may be made for its slot
-- ARGV[4]  burst: number of slots that may share one time after an idle period
-- ARGV[5]  the initial limit, if the key has none yet
-- ARGV[6]  '' or the life in which the caller saw Redis's clock jump
-- ARGV[7]… pairs: a place of the caller's, and the latest time at which its call was made; 0 if the slot has passed unused
--          and the caller wants to use it now
-- Returns  {now, limit, life, again, first place, {slots}, {moved slots, 0 for one that cannot be moved}}
--          `again`: 0, or microseconds until a request for the slots that were not granted makes sense

local AHEAD = 250000 -- no slot is further in the future, which bounds the outstanding slots that are lost with the key
local CATCH_UP = 100000 -- slots move closer together to catch up on late calls, up to this much
local KEPT_MS = 604800000 -- the key expires after a week without a call

local key, hold, lateness = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local field = function(number) return string.format('%.17g', number) end

-- Of a place: when it becomes free, and when it would if slots were evenly spaced and no call were late.
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
  return redis.error_reply('BADLIMIT the limit is not an integer >= 1')
end
local isWhole = true
for i = 2, #names do
  known[i] = tonumber(known[i])
  isWhole = isWhole and known[i] ~= nil
end
-- `size`: the limit under which the last slot was granted. No slot is before `floor`. Slots rely on places up to `relied`.
local life, clock, last, pace, next, oldest, size, floor, relied = unpack(known, 2, #names)

-- Without complete state the script assumes the worst: a new ring starts full, with slots outstanding.
if not isWhole or clock - now > hold or ARGV[6] == field(life) then
  redis.call('DEL', key)
  next = math.max(now, next or 0) -- place numbers are never reused, not even in another life
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
pace = math.min(pace, last + burst * gap) -- a raised limit applies at once
for _ = 1, tonumber(ARGV[1]) do
  local base = math.max(clock, math.ceil(pace - saved)) -- the slot's time if slots were evenly spaced
  local slot = math.max(base, floor)
  local row = math.max(pace, base)
  local free, even = 0, 0
  if next - limit >= oldest then free, even = get(next - limit) end
  if free > slot then
    -- Waiting for a place must not save up burst, else a burst after an idle period would repeat forever. Only the delay of
    -- that place is caught up on.
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
