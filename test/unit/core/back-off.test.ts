import { describe, expect, test } from 'vitest'
import { BackOff } from '../../../src/core/back-off.ts'

describe('back-off after throttling', () => {
  test('grants no calls for the retry hint, or for one second without one', () => {
    const backOff = new BackOff()
    backOff.throttled(100, 2_500)
    backOff.throttled(200, 10)
    expect(backOff.restMs(100)).toBe(2_500)
    backOff.throttled(2_000, null)
    expect([backOff.restMs(2_000), backOff.restMs(3_000)]).toEqual([1_000, 0])
  })

  test('halves the rate once for all calls that were in flight', () => {
    const backOff = new BackOff()
    for (const nowMs of [0, 1, 500, 999]) backOff.throttled(nowMs, null)
    expect(backOff.rate(20, 1_000)).toBe(10)
    backOff.throttled(2_000, null)
    expect(backOff.rate(20, 2_000)).toBeCloseTo(5, 0)
  })

  test('restores the full share within 30 seconds, a little each second', () => {
    const backOff = new BackOff()
    for (let seconds = 0; seconds < 20; seconds += 1) backOff.throttled(seconds * 1_000, null)
    const rates = [0, 5, 10, 15, 20, 25, 30].map((seconds) => backOff.rate(60, 20_000 + seconds * 1_000))
    expect(rates.map(Math.round)).toEqual([1, 11, 21, 31, 41, 51, 60])
  })

  test('keeps one call every two seconds to find out when throttling ends', () => {
    const backOff = new BackOff()
    for (let seconds = 0; seconds < 20; seconds += 1) backOff.throttled(seconds * 1_000, null)
    expect(backOff.rate(5, 20_000)).toBe(0.5)
    expect(backOff.rate(0, 20_000)).toBe(0)
  })
})

test('changes nothing while calls are not throttled', () => {
  expect([new BackOff().rate(7, 1_000_000), new BackOff().restMs(0)]).toEqual([7, 0])
})
