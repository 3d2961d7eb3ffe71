import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BusiestSecond, SlidingLimit } from '../../../simulator/window.ts'

const SECOND_MS = 1_000

/** Arrivals in order, dense enough to reach the limit; some gaps are one second give or take the last bit. */
const arrivals = fc
  .tuple(
    fc.double({ min: 0, max: 5_000, noNaN: true }),
    fc.array(
      fc.oneof(fc.double({ min: 0, max: 300, noNaN: true }), fc.constantFrom(500, 1_000, 1_000 - 2 ** -43)),
      { maxLength: 200 },
    ),
  )
  .map(([firstMs, gaps]) => timesAfter(firstMs, gaps))

function timesAfter(firstMs: number, gaps: readonly number[]): number[] {
  let nowMs = firstMs
  return gaps.map((gap) => (nowMs += gap))
}

/** Number of `times` within the second that ends at `nowMs`. */
function within(times: readonly number[], nowMs: number): number {
  return times.filter((time) => time > nowMs - SECOND_MS && time <= nowMs).length
}

function max(times: readonly number[]): number {
  return Math.max(0, ...times.map((time) => within(times, time)))
}

function admitted(limit: number, times: readonly number[]): number[] {
  const window = new SlidingLimit(limit)
  return times.filter((time) => window.admit(time))
}

describe('the sliding window', () => {
  test('admits N calls at once and refuses the next one', () => {
    const limit = new SlidingLimit(3)
    expect([0, 0, 0, 0].map((time) => limit.admit(time))).toEqual([true, true, true, false])
  })

  test('admits another call when the oldest one is a full second old, but not sooner', () => {
    const limit = new SlidingLimit(2)
    limit.admit(0)
    limit.admit(600)
    expect(limit.admit(999.999)).toBe(false)
    expect(limit.admit(1_000)).toBe(true)
    expect(limit.admit(1_599)).toBe(false)
    expect(limit.admit(1_600)).toBe(true)
  })

  test('refuses calls that a counter per calendar second would admit', () => {
    const limit = new SlidingLimit(2)
    expect([900, 950, 1_050, 1_100].map((time) => limit.admit(time))).toEqual([true, true, false, false])
  })

  test('does not count refused calls', () => {
    const limit = new SlidingLimit(1)
    limit.admit(0)
    for (let time = 1; time < SECOND_MS; time += 1) limit.admit(time)
    expect(limit.admit(SECOND_MS)).toBe(true)
  })

  test('never admits more than N calls in any second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), arrivals, (limit, times) => {
        expect(max(admitted(limit, times))).toBeLessThanOrEqual(limit)
      }),
    )
  })

  test('refuses a call only if the second that ends with it is full', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), arrivals, (limit, times) => {
        const window = new SlidingLimit(limit)
        const before: number[] = []
        for (const time of times) {
          const free = within(before, time) < limit
          expect(window.admit(time)).toBe(free)
          if (free) before.push(time)
        }
      }),
    )
  })
})

describe('the busiest second', () => {
  test('is empty before the first call', () => {
    expect(new BusiestSecond().max).toBe(0)
  })

  test('does not include two calls that are a full second apart', () => {
    const busiest = new BusiestSecond()
    for (const time of [0, 500, 1_000]) busiest.arrived(time)
    expect(busiest.max).toBe(2)
  })

  test('is kept after it has passed', () => {
    const busiest = new BusiestSecond()
    for (const time of [0, 1, 2, 60_000]) busiest.arrived(time)
    expect(busiest.max).toBe(3)
  })

  test('equals the result of counting every second', () => {
    fc.assert(
      fc.property(arrivals, (times) => {
        const busiest = new BusiestSecond()
        for (const time of times) busiest.arrived(time)
        expect(busiest.max).toBe(max(times))
      }),
    )
  })

  test('the last second ends now, also long after the last arrival', () => {
    const busiest = new BusiestSecond()
    for (const time of [0, 10, 500]) busiest.arrived(time)
    const counts = [600, 1_000, 1_010, 1_499, 60_000].map((nowMs) => busiest.last(nowMs))
    expect([counts, busiest.max]).toEqual([[3, 2, 1, 1, 0], 3])
  })

  test('stays correct after old arrivals have been dropped', () => {
    const busiest = new BusiestSecond()
    for (let call = 0; call < 50_000; call += 1) busiest.arrived(call * 0.5)
    expect(busiest.max).toBe(2_000)
    for (let call = 0; call < 3_000; call += 1) busiest.arrived(25_000 + call * 0.25)
    // The new arrivals, and those old ones between 24,750 and 25,000.
    expect(busiest.max).toBe(3_000 + 500)
  })
})
