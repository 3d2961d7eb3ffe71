import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TokenBucket, UNLIMITED, type TokenBucketOptions } from '../../../../src/core/quota/token-bucket.ts'

const WINDOW_MS = 1_020
/** Sums of fractions are not exact to the last bit. */
const ROUNDING_MS = 1e-6

const options: fc.Arbitrary<TokenBucketOptions> = fc
  .record({ permits: fc.integer({ min: 1, max: 40 }), windowMs: fc.integer({ min: 100, max: 2_000 }) })
  .chain(({ permits, windowMs }) =>
    fc.integer({ min: 1, max: permits }).map((burst) => ({ permits, windowMs, burst })),
  )

/** A call that is sent at once when its permit is granted. */
function call(bucket: TokenBucket, nowMs: number): number {
  const waitMs = bucket.take(nowMs)
  if (waitMs === 0) bucket.confirm(nowMs, nowMs)
  return waitMs
}

/** A caller that always has work and retries at the time that the bucket names. */
function greedy(bucket: TokenBucket, untilMs: number): number[] {
  const grants: number[] = []
  let nowMs = 0
  while (nowMs < untilMs) {
    const waitMs = call(bucket, nowMs)
    if (waitMs === 0) grants.push(nowMs)
    nowMs += waitMs
  }
  return grants
}

function maxPerWindow(grants: readonly number[], windowMs: number): number {
  const within = (last: number) =>
    grants.filter((at) => at <= last && last - at < windowMs - ROUNDING_MS).length
  return Math.max(0, ...grants.map(within))
}

describe('any schedule of requests', () => {
  test('never gets more permits than the limit in any window', () => {
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(50), fc.nat(3_000)), { maxLength: 300 })
    fc.assert(
      fc.property(options, gaps, (option, schedule) => {
        const bucket = new TokenBucket(option)
        const grants: number[] = []
        let nowMs = 0
        for (const gap of schedule) {
          nowMs += gap
          if (call(bucket, nowMs) === 0) grants.push(nowMs)
        }
        expect(maxPerWindow(grants, option.windowMs)).toBeLessThanOrEqual(option.permits)
      }),
      { numRuns: 300 },
    )
  })

  test('never gets more permits than the burst at one moment', () => {
    fc.assert(
      fc.property(options, fc.nat(100_000), (option, nowMs) => {
        const bucket = new TokenBucket(option)
        let granted = 0
        while (call(bucket, nowMs) === 0) granted += 1
        expect(granted).toBe(option.burst)
      }),
    )
  })

  test('gets a promised permit at the named time', () => {
    fc.assert(
      fc.property(options, fc.array(fc.nat(200), { maxLength: 100 }), (option, gaps) => {
        const bucket = new TokenBucket(option)
        let nowMs = 0
        for (const gap of gaps) {
          nowMs += gap
          const waitMs = call(bucket, nowMs)
          if (waitMs === 0) continue
          nowMs += waitMs + ROUNDING_MS
          expect(call(bucket, nowMs)).toBe(0)
        }
      }),
    )
  })
})

describe('continuous demand', () => {
  test('uses all permits of every window, evenly after the burst', () => {
    fc.assert(
      fc.property(options, (option) => {
        const { permits, windowMs, burst } = option
        const grants = greedy(new TokenBucket(option), 4 * windowMs)
        expect(maxPerWindow(grants, windowMs)).toBe(permits)
        expect(grants.length).toBeGreaterThanOrEqual(4 * permits)
        for (const [index, at] of grants.entries()) {
          const inWindow = (index % permits) + 1
          const dueMs = (Math.max(0, inWindow - burst) / permits) * windowMs
          expect(at).toBeLessThan(Math.floor(index / permits) * windowMs + dueMs + ROUNDING_MS)
        }
      }),
    )
  })
})

describe('throttling by the API', () => {
  test('stops permits for the retry hint', () => {
    const bucket = new TokenBucket({ permits: 10, windowMs: WINDOW_MS, burst: 2 })
    bucket.throttled(100, 2_500)
    expect(call(bucket, 100)).toBe(2_500)
    expect(call(bucket, 2_600)).toBe(0)
  })

  test('stops permits for one second without a retry hint', () => {
    const bucket = new TokenBucket({ permits: 10, windowMs: WINDOW_MS, burst: 2 })
    bucket.throttled(100, null)
    expect(call(bucket, 1_099)).toBe(1)
    expect(call(bucket, 1_100)).toBe(0)
  })

  test('uses the longest of several retry hints', () => {
    const bucket = new TokenBucket({ permits: 10, windowMs: WINDOW_MS, burst: 2 })
    bucket.throttled(0, 5_000)
    bucket.throttled(100, 10)
    expect(call(bucket, 100)).toBe(4_900)
  })
})

test('a clock that steps back grants no extra permits', () => {
  const bucket = new TokenBucket({ permits: 2, windowMs: 1_000, burst: 1 })
  expect(call(bucket, 10_000)).toBe(0)
  expect(call(bucket, 5_000)).toBeGreaterThan(0)
  expect(call(bucket, 10_499)).toBeGreaterThan(0)
})

test('an unlimited limiter always grants permits', () => {
  expect(UNLIMITED.take()).toBe(0)
})
