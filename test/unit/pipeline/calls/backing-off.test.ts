import { expect, test } from 'vitest'
import { UNLIMITED } from '../../../../src/core/quota/token-bucket.ts'
import { BackingOff } from '../../../../src/pipeline/calls/backing-off.ts'

function slowed() {
  const waiting: number[] = []
  const counted = {
    ...UNLIMITED,
    limit: 20,
    take: (_: number, count: number) => {
      waiting.push(count)
      return 0
    },
  }
  return { limiter: new BackingOff(counted), counted, waiting }
}

test('a quota counted in Redis is not slowed down without throttling', () => {
  const { limiter, waiting } = slowed()
  for (let calls = 0; calls < 50; calls += 1) expect(limiter.take(0, 7)).toBe(0)
  expect(new Set(waiting)).toEqual(new Set([7]))
})

test('after throttling, a quota counted in Redis gets one request at a time at half the rate until it has recovered', () => {
  const { limiter, waiting } = slowed()
  limiter.throttled(0, 1_000)
  expect(limiter.take(0, 7)).toBe(1_000)
  expect(limiter.take(1_000, 7)).toBe(0)
  expect(limiter.take(1_000, 7)).toBeCloseTo(100, 0)
  expect([limiter.take(1_100, 7), waiting]).toEqual([0, [1, 1]])
  expect(limiter.rate(16_001)).toBe(20)
  for (let calls = 0; calls < 9; calls += 1) expect(limiter.take(17_000, 7)).toBe(0)
})

test('the reduced rate follows a change of the limit', () => {
  const { limiter, counted } = slowed()
  limiter.throttled(0, 0)
  counted.limit = 200
  expect(limiter.take(0, 7)).toBe(0)
  expect(limiter.take(0, 7)).toBeCloseTo(10, 0)
  counted.limit = 10
  expect(limiter.rate(60_000)).toBe(10)
})
