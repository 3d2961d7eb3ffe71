import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiClock, parseHttpDate } from '../../../../src/core/calls/api-clock.ts'

const NOW_MS = Date.UTC(2026, 10, 30, 12, 0, 0)
const HOUR_MS = 3_600_000

function seen(offsetMs: number, latencyMs = 100): ApiClock {
  const clock = new ApiClock()
  const theirs = new Date(NOW_MS + latencyMs / 2 - offsetMs).toUTCString()
  clock.record(theirs, NOW_MS, NOW_MS + latencyMs)
  return clock
}

describe('the clock offset to the API', () => {
  test.each([
    [2 * HOUR_MS, 'The clock of this machine is 2 h ahead of the clock of the API.'],
    [-2 * HOUR_MS, 'The clock of this machine is 2 h behind the clock of the API.'],
    [72 * 60_000, 'The clock of this machine is 1 h 12 min ahead of the clock of the API.'],
    [-16 * 60_000, 'The clock of this machine is 16 min behind the clock of the API.'],
  ])('an offset of %i ms is too large and is described with its direction', (offsetMs, description) => {
    const clock = seen(offsetMs)
    expect([clock.isOff, clock.description]).toEqual([true, description])
  })

  test.each([0, 500, -500, 14 * 60_000, -14 * 60_000])('is acceptable to the API at %i ms', (offsetMs) => {
    expect(seen(offsetMs).isOff).toBe(false)
  })

  test('is unknown before a response with a date', () => {
    const clock = new ApiClock()
    expect([clock.offsetMs, clock.isOff, clock.description]).toEqual([
      null,
      false,
      'The offset between the clocks of this machine and the API is unknown.',
    ])
    clock.record('yesterday', NOW_MS, NOW_MS)
    expect(clock.offsetMs).toBeNull()
  })

  test('is never overestimated, however long the response took, and underestimated at most by that time', () => {
    const offsets = fc.integer({ min: -86_400_000, max: 86_400_000 })
    fc.assert(
      fc.property(
        offsets,
        fc.nat(20_000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (offsetMs, tookMs, part) => {
          const clock = new ApiClock()
          const theirMs = NOW_MS + Math.floor(tookMs * part) - offsetMs
          clock.record(new Date(theirMs).toUTCString(), NOW_MS, NOW_MS + tookMs)
          const measured = clock.offsetMs ?? Number.NaN
          expect(Math.abs(measured)).toBeLessThanOrEqual(Math.abs(offsetMs))
          expect(Math.abs(measured - offsetMs)).toBeLessThanOrEqual(tookMs + 1_000)
        },
      ),
    )
  })
})

test.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['1994-11-06T08:49:37Z', null],
  ['Sun, soon', null],
  ['Sun, 99 Foo 1994 08:49:37 GMT', null],
  ['7', null],
  ['', null],
])('parses the HTTP date %j as %j', (text, ms) => {
  expect(parseHttpDate(text)).toBe(ms)
})
