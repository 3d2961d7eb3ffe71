import { describe, expect, test } from 'vitest'
import {
  AHEAD_MS,
  QuotaSlots,
  type SlotAnswer,
  type SlotRequest,
} from '../../../../src/core/quota/quota-slots.ts'

/** The Redis clock is a million milliseconds ahead of the local clock. */
const OFFSET_MS = 1_000_000
/** The uncertainty one second after a round trip of one millisecond. */
const DRIFT_MS = 1

function answer(nowMs: number, changes: Partial<SlotAnswer> = {}): SlotAnswer {
  const given = { slotsMs: [], movedMs: [], ...changes }
  return {
    nowMs: nowMs + OFFSET_MS,
    limit: 10,
    ringEpoch: 7,
    retryAfterMs: 0,
    firstRingIndex: 100,
    ...given,
    slotsMs: given.slotsMs.map((ms) => ms + OFFSET_MS),
    movedMs: given.movedMs.map((ms) => (ms === 0 ? 0 : ms + OFFSET_MS)),
  }
}

/** Connected at time 0 and allowed to request slots from `READY_MS` on. */
function connected(options: { guardMs?: number; burst?: number; limit?: number } = {}) {
  const { guardMs = 20, burst = 1, limit = 10 } = options
  const wasted: number[] = []
  const slots = new QuotaSlots({ guardMs, burst, random: () => 0.5, onWasted: (count) => wasted.push(count) })
  slots.connected(0, answer(0.5, { limit }), { askedMs: 0, answeredMs: 1 })
  /** Requests slots at `nowMs` and gets the response within a tenth of a millisecond. */
  const fetch = (nowMs: number, waiting: number, changes: Partial<SlotAnswer>): SlotRequest | null => {
    const request = slots.request(nowMs, waiting)
    if (request === null) return null
    slots.answered(request, answer(nowMs, { limit, ...changes }), { askedMs: nowMs, answeredMs: nowMs })
    return request
  }
  return { slots, fetch, wasted: () => wasted.reduce((sum, count) => sum + count, 0) }
}

const READY_MS = 2_000

describe('after a new connection', () => {
  test('requests no slots until all earlier ones have expired', () => {
    const { slots } = connected()
    const overMs = AHEAD_MS + 1_020
    expect(slots.request(overMs, 5)).toBeNull()
    expect(slots.take(100)).toBeGreaterThan(overMs - 100)
    expect(slots.request(READY_MS, 5)).not.toBeNull()
  })

  test('slots that were received before a disconnect are still used', () => {
    const { slots, fetch } = connected()
    fetch(READY_MS, 2, { slotsMs: [READY_MS + 50] })
    slots.disconnected()
    expect(slots.take(READY_MS + 51)).toBe(0)
    expect(slots.take(READY_MS + 52)).toBe(Infinity)
  })
})

describe('a quota slot', () => {
  test('is used when its time has certainly come, and not before', () => {
    const { slots, fetch } = connected()
    fetch(READY_MS, 1, { slotsMs: [READY_MS + 100] })
    expect(slots.take(READY_MS)).toBeCloseTo(100)
    expect(slots.take(READY_MS + 99.9)).toBeGreaterThan(0)
    expect(slots.take(READY_MS + 100)).toBe(0)
  })

  test('allows one call', () => {
    const { slots, fetch } = connected()
    fetch(READY_MS, 2, { slotsMs: [READY_MS] })
    expect(slots.take(READY_MS + DRIFT_MS)).toBe(0)
    expect(slots.take(READY_MS + DRIFT_MS)).not.toBe(0)
  })

  test('is counted for one second plus guard plus the allowed delay of its call', () => {
    const { slots } = connected({ guardMs: 20 })
    const request = slots.request(READY_MS, 1)
    expect(request?.lateMs).toBeGreaterThan(50)
    expect(request?.holdMs).toBe(1_020)
  })

  test('is counted from its call on at the latest, which the next request reports once', () => {
    const { slots, fetch } = connected()
    fetch(READY_MS, 1, { slotsMs: [READY_MS + 10], firstRingIndex: 42 })
    expect(slots.take(READY_MS + 12)).toBe(0)
    expect(slots.confirm(READY_MS + 12, READY_MS + 31)).toBe(true)
    const [made, ...others] = fetch(READY_MS + 40, 1, {})?.made ?? []
    expect(others).toEqual([])
    expect(made?.ringIndex).toBe(42)
    // The report is never earlier than the call, given the uncertainty of the clocks.
    expect(made?.atMs).toBeGreaterThanOrEqual(OFFSET_MS + READY_MS + 31)
    expect(made?.atMs).toBeLessThan(OFFSET_MS + READY_MS + 31 + 2 * DRIFT_MS)
    expect(fetch(READY_MS + 50, 1, {})?.made).toEqual([])
  })

  test('is not reported as used if its call was not sent', () => {
    const { slots, fetch } = connected()
    fetch(READY_MS, 1, { slotsMs: [READY_MS + 10], firstRingIndex: 42 })
    slots.take(READY_MS + 12)
    slots.confirm(READY_MS + 12, READY_MS + 80)
    expect(fetch(READY_MS + 80, 1, { movedMs: [READY_MS + 80] })).toMatchObject({ moved: [42], made: [] })
  })

  test('is not used after the allowed delay has passed', () => {
    const { slots, fetch } = connected()
    const request = fetch(READY_MS, 1, { slotsMs: [READY_MS + 10] })
    expect(slots.take(READY_MS + 10 + (request?.lateMs ?? 0) + 0.1)).toBe(Infinity)
  })

  test('is not used if it expires between the permit and the first byte of the call', () => {
    const { slots, fetch } = connected()
    const request = fetch(READY_MS, 2, { slotsMs: [READY_MS + 10, READY_MS + 10] })
    const takenMs = READY_MS + 11
    expect([slots.take(takenMs), slots.take(takenMs)]).toEqual([0, 0])
    expect(slots.confirm(takenMs, takenMs + 1)).toBe(true)
    expect(slots.confirm(takenMs, READY_MS + 10 + (request?.lateMs ?? 0) + 1)).toBe(false)
  })
})

describe('an expired quota slot', () => {
  test('is moved if a record waits for it', () => {
    const { slots, fetch, wasted } = connected()
    fetch(READY_MS, 1, { slotsMs: [READY_MS + 10], firstRingIndex: 42 })
    const nowMs = READY_MS + 70
    expect(slots.take(nowMs)).toBe(Infinity)
    expect(fetch(nowMs, 1, { movedMs: [nowMs] })).toMatchObject({ want: 0, moved: [42] })
    expect(slots.take(nowMs + DRIFT_MS)).toBe(0)
    expect(wasted()).toBe(0)
  })

  test('is wasted if Redis does not move it', () => {
    const { slots, fetch, wasted } = connected()
    fetch(READY_MS, 1, { slotsMs: [READY_MS + 10] })
    fetch(READY_MS + 70, 1, { movedMs: [0] })
    expect(slots.take(READY_MS + 71)).toBe(Infinity)
    expect(wasted()).toBe(1)
  })

  test('is wasted if no record has waited for a while', () => {
    const { fetch, wasted } = connected()
    fetch(READY_MS, 1, { slotsMs: [READY_MS + 10] })
    expect(fetch(READY_MS + 5_000, 1, { slotsMs: [READY_MS + 5_000] })).toMatchObject({ want: 1, moved: [] })
    expect(wasted()).toBe(1)
  })

  test('is moved in batches of at most the burst', () => {
    const { fetch, wasted } = connected({ burst: 2, limit: 50 })
    fetch(READY_MS, 9, { slotsMs: [1, 2, 3, 4].map((ms) => READY_MS + ms) })
    expect(fetch(READY_MS + 90, 9, { movedMs: [READY_MS + 90, READY_MS + 90] })?.moved).toEqual([102, 103])
    expect(wasted()).toBe(2)
  })
})

describe('a slot request', () => {
  test('is not sent while no record waits', () => {
    expect(connected().slots.request(READY_MS, 0)).toBeNull()
  })

  test('asks for at most the number of waiting records', () => {
    const { fetch } = connected({ limit: 1_000 })
    expect(fetch(READY_MS, 3, { slotsMs: [READY_MS + 1, READY_MS + 2] })?.want).toBe(3)
    expect(fetch(READY_MS, 3, {})?.want).toBe(1)
  })

  test('also asks for upcoming calls if calls are frequent', () => {
    const { slots, fetch } = connected({ limit: 200 })
    const takeAt = (nowMs: number): void => {
      fetch(nowMs, 1, { slotsMs: [nowMs] })
      expect(slots.take(nowMs + DRIFT_MS)).toBe(0)
    }
    takeAt(READY_MS)
    expect(slots.request(READY_MS + DRIFT_MS, 0)).toBeNull()
    takeAt(READY_MS + 30)
    expect(slots.request(READY_MS + 31, 0)).toBeNull()
    takeAt(READY_MS + 40)
    expect(slots.request(READY_MS + 41, 0)?.want).toBe(1)
    takeAt(READY_MS + 45)
    takeAt(READY_MS + 50)
    expect(slots.request(READY_MS + 51, 0)?.want).toBe(2)
  })

  test('reaches a tenth of a second ahead at the current limit', () => {
    expect(connected({ limit: 100 }).slots.request(READY_MS, 500)?.want).toBe(10)
    expect(connected({ limit: 1 }).slots.request(READY_MS, 500)?.want).toBe(1)
  })

  test('is not sent while the available slots reach far enough', () => {
    const { slots, fetch } = connected()
    fetch(READY_MS, 9, { slotsMs: [READY_MS + 90] })
    expect(slots.request(READY_MS + 20, 9)).toBeNull()
    expect(slots.request(READY_MS + 60, 9)).not.toBeNull()
  })

  test('is delayed as long as Redis asks, plus a random time', () => {
    const { slots, fetch } = connected()
    fetch(READY_MS, 1, { retryAfterMs: 300 })
    expect(slots.request(READY_MS + 300, 1)).toBeNull()
    expect(slots.take(READY_MS + 300)).toBe(25)
    expect(slots.request(READY_MS + 325, 1)).not.toBeNull()
  })
})

test('resets Redis once if its clock jumped, and uses none of its earlier slots', () => {
  const { slots, fetch, wasted } = connected()
  fetch(READY_MS, 1, { slotsMs: [READY_MS] })
  slots.take(READY_MS + DRIFT_MS)
  const nowMs = READY_MS + 100
  const request = slots.request(nowMs, 1)
  if (request === null) throw new Error('There is no slot request.')
  slots.answered(request, answer(nowMs + 500, { slotsMs: [nowMs + 500] }), {
    askedMs: nowMs,
    answeredMs: nowMs,
  })
  expect(slots.take(nowMs + 1)).toBe(Infinity)
  expect(wasted()).toBe(1)
  expect(slots.request(nowMs + 1, 1)?.jumpedIn).toBe(7)
  expect(slots.request(nowMs + 1, 1)?.jumpedIn).toBeNull()
})

test('a missing response wastes the slots of its request', () => {
  const { slots, fetch, wasted } = connected()
  fetch(READY_MS, 1, { slotsMs: [READY_MS + 10] })
  const request = slots.request(READY_MS + 70, 1)
  if (request !== null) slots.unanswered(request)
  expect(wasted()).toBe(1)
})
