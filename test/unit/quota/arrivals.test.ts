import { describe, expect, test } from 'vitest'
import {
  callsPerSecond,
  maxInASecond,
  parseArrivals,
  SECOND_NS,
  throttled,
  within,
  type Call,
} from '../../quota/arrivals.ts'

function callsAt(...times: readonly number[]): Call[] {
  return times.map((atNs) => ({ atNs, scenario: 'x', code: 'Success' }))
}

test('the arrival log is read as nanoseconds since an origin without rounding', () => {
  const log = '9007199254740995 passhkid2018 Success\n9007199254740996 - SignatureDoesNotMatch\n'
  expect(parseArrivals(log, 9_007_199_254_740_993n)).toEqual([
    { atNs: 2, scenario: 'passhkid2018', code: 'Success' },
    { atNs: 3, scenario: '-', code: 'SignatureDoesNotMatch' },
  ])
})

describe('the maximum number of calls in a second', () => {
  test('is counted over windows with any start', () => {
    expect(maxInASecond([])).toBe(0)
    expect(maxInASecond(callsAt(0, 0.9e9, 1.1e9, 1.8e9, 1.899_999_999e9, 3e9))).toBe(4)
  })

  test('never includes two calls that are a full second apart', () => {
    expect(maxInASecond(callsAt(5, 5 + SECOND_NS))).toBe(1)
    expect(maxInASecond(callsAt(5, 4 + SECOND_NS))).toBe(2)
  })
})

describe('calls per second', () => {
  const PERIOD_NS = 1.02e9

  test('are exact for a repeating pattern, even or in bursts, for any start of the period', () => {
    for (const offsetNs of [0, 0.1e9, 0.73e9]) {
      const even = callsAt(...Array.from({ length: 60 }, (_, at) => offsetNs + (at * PERIOD_NS) / 5))
      const bunched = callsAt(
        ...Array.from({ length: 60 }, (_, at) => offsetNs + Math.floor(at / 5) * PERIOD_NS),
      )
      const span = { fromNs: 1e9, toNs: 10e9 }
      expect(callsPerSecond(even, span, PERIOD_NS)).toBeCloseTo(5 / 1.02, 6)
      expect(callsPerSecond(bunched, span, PERIOD_NS)).toBeCloseTo(5 / 1.02, 6)
    }
  })

  test('ignore calls outside the period', () => {
    const span = { fromNs: 10e9, toNs: 20e9 }
    expect(callsPerSecond(callsAt(1e9, 9.9e9, 20.1e9), span, PERIOD_NS)).toBe(0)
    expect(within(callsAt(9e9, 10e9, 19e9, 20e9), span)).toEqual(callsAt(10e9, 19e9))
  })
})

test('include throttled calls', () => {
  expect(throttled([...callsAt(1, 2), { atNs: 3, scenario: 'x', code: 'Throttling.Api' }])).toBe(1)
})
