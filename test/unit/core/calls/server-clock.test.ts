import { expect, test } from 'vitest'
import { ServerClock, type ClockReading } from '../../../../src/core/calls/server-clock.ts'

/** The server clock is a million milliseconds ahead of the local clock. */
function sighting(askedMs: number, answeredMs: number, shownMs: number): ClockReading {
  return { askedMs, answeredMs, shownMs: shownMs + 1_000_000 }
}

test('the uncertainty of the server clock is the round-trip time', () => {
  const clock = new ServerClock()
  expect(clock.update(sighting(100, 110, 104))).toBe(true)
  expect(clock.uncertaintyMs(110)).toBe(10)
  expect(clock.bounds(1_000_204)).toEqual({ earliestMs: 200, latestMs: 210 })
})

test('a slow response does not replace a more accurate earlier one', () => {
  const clock = new ServerClock()
  clock.update(sighting(100, 101, 100.4))
  expect(clock.update(sighting(110, 190, 111))).toBe(true)
  expect(clock.uncertaintyMs(190)).toBeLessThan(1.2)
})

test('the uncertainty of the server clock grows with time because clocks drift', () => {
  const clock = new ServerClock()
  clock.update(sighting(0, 1, 0.5))
  expect(clock.uncertaintyMs(10_001)).toBe(11)
  expect(clock.update(sighting(10_000, 10_002, 10_005))).toBe(true)
})

test.each([40, -40])(
  'a clock jump by %i ms is reported by the next response and accepted from then on',
  (jumpMs) => {
    const clock = new ServerClock()
    clock.update(sighting(0, 1, 0.5))
    expect(clock.update(sighting(100, 101, 100.5 + jumpMs))).toBe(false)
    expect(clock.update(sighting(200, 201, 200.5 + jumpMs))).toBe(true)
    expect(clock.bounds(1_000_300.5 + jumpMs).earliestMs).toBeCloseTo(300, 0)
  },
)

test('the uncertainty of the server clock is infinite before the first response', () => {
  expect(new ServerClock().uncertaintyMs(5)).toBe(Infinity)
})
