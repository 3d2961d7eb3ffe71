import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TokenBucket } from '../../../../src/core/quota/token-bucket.ts'
import { maxWithin, VirtualTime } from '../../../support/virtual-time.ts'

const WINDOW_MS = 1_020
const MAX = 24
/** Sums of fractions are not exact to the last bit. */
const ROUNDING_MS = 1e-6

/** One step of a schedule. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('arrive' as const), calls: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), permits: fc.nat(MAX) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stall' as const), forMs: fc.nat(1_500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('throttle' as const), afterMs: fc.nat(800) }) },
)
const schedule = fc.array(fc.tuple(fc.oneof(fc.nat(60), fc.nat(1_500)), step), {
  minLength: 1,
  maxLength: 80,
})

/** Simulates a process with waiting calls, late timers, late writes, and stalls during which nothing runs. */
class Process {
  readonly #time = new VirtualTime()
  readonly #bucket: TokenBucket
  readonly #lateMs: readonly number[]
  readonly written: number[] = []
  readonly limits: { readonly sinceMs: number; readonly permits: number }[]
  waiting = 0
  #stalledUntilMs = 0
  #late = 0
  #timerMs = Infinity
  #pending = 0

  constructor(permits: number, burst: number, lateMs: readonly number[]) {
    this.#bucket = new TokenBucket({ permits: MAX, windowMs: WINDOW_MS, burst })
    this.#bucket.resize(0, -Infinity)
    this.#bucket.resize(permits, -Infinity)
    this.#bucket.onAvailable(() => this.#serve())
    this.limits = [{ sinceMs: -Infinity, permits }]
    this.#lateMs = lateMs
  }

  at(ms: number, run: () => void): void {
    this.#time.after(ms, run)
  }

  run(untilMs: number): void {
    this.#time.runUntil(untilMs)
  }

  arrive(calls: number): void {
    this.waiting += calls
    this.#then(0, () => this.#serve())
  }

  /** Like a new assignment: calls that were granted but not sent are canceled. */
  resize(permits: number): void {
    for (; this.#pending > 0; this.#pending -= 1) this.#bucket.dropped()
    this.#bucket.resize(permits, this.#time.nowMs)
    this.limits.push({ sinceMs: this.#time.nowMs, permits })
    this.#serve()
  }

  stall(forMs: number): void {
    this.#stalledUntilMs = this.#time.nowMs + forMs
  }

  throttle(afterMs: number): void {
    this.#bucket.throttled(this.#time.nowMs, afterMs)
  }

  #serve(): void {
    while (this.waiting > 0) {
      const { nowMs } = this.#time
      const waitMs = this.#bucket.take(nowMs)
      if (waitMs > 0) return this.#serveIn(waitMs)
      this.waiting -= 1
      this.#pending += 1
      const generation = this.limits.length
      this.#then(this.#nextLate(), () => {
        if (generation !== this.limits.length) return
        this.#pending -= 1
        this.written.push(this.#time.nowMs)
        this.#bucket.confirm(nowMs, this.#time.nowMs)
      })
    }
  }

  #serveIn(waitMs: number): void {
    const dueMs = this.#time.nowMs + Math.ceil(waitMs)
    if (dueMs >= this.#timerMs) return
    this.#timerMs = dueMs
    this.#then(Math.ceil(waitMs) + this.#nextLate(), () => {
      this.#timerMs = Infinity
      this.#serve()
    })
  }

  #then(delayMs: number, run: () => void): void {
    this.#time.after(delayMs, () => {
      const restMs = this.#stalledUntilMs - this.#time.nowMs
      if (restMs > 0) this.#then(restMs, run)
      else run()
    })
  }

  #nextLate(): number {
    this.#late += 1
    return (this.#lateMs[this.#late % this.#lateMs.length] ?? 0) / 10
  }
}

const late = fc.array(fc.nat(40), { minLength: 1, maxLength: 7 })

test('no window contains more calls than the limit at its start, for any arrivals, limit changes, stalls and throttling', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: MAX }),
      fc.integer({ min: 1, max: 5 }),
      late,
      schedule,
      (permits, burst, lateMs, steps) => {
        const process = new Process(permits, burst, lateMs)
        let atMs = 0
        for (const [gapMs, what] of steps) {
          atMs += gapMs
          process.at(atMs, () => {
            if (what.kind === 'arrive') process.arrive(what.calls)
            else if (what.kind === 'resize') process.resize(what.permits)
            else if (what.kind === 'stall') process.stall(what.forMs)
            else process.throttle(what.afterMs)
          })
        }
        process.run(atMs + 30_000)
        for (const [at, { sinceMs, permits: limit }] of process.limits.entries()) {
          const untilMs = process.limits[at + 1]?.sinceMs ?? Infinity
          // Windows that begin while this limit applies. It is sufficient to check those that begin with a call.
          const begun = process.written.filter((ms) => ms >= sinceMs && ms < untilMs)
          for (const first of begun) {
            const within = process.written.filter((ms) => ms >= first && ms < first + WINDOW_MS - ROUNDING_MS)
            expect(within.length).toBeLessThanOrEqual(limit)
          }
        }
      },
    ),
    { numRuns: 150 },
  )
})

test('with waiting calls, each window is full again one window after a limit change or a stall', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: MAX }),
      fc.integer({ min: 1, max: MAX }),
      fc.nat(900),
      (before, after, stallMs) => {
        const process = new Process(before, 2, [0])
        process.arrive(10_000)
        process.at(2_000, () => process.resize(after))
        process.at(6_000, () => process.stall(stallMs))
        process.run(20_000)
        const full = (fromMs: number): number =>
          process.written.filter((ms) => ms >= fromMs && ms < fromMs + WINDOW_MS).length
        expect(full(0)).toBe(before)
        for (const fromMs of [2_000 + 2 * WINDOW_MS, 6_000 + stallMs + 2 * WINDOW_MS, 15_000]) {
          expect(full(fromMs + ROUNDING_MS)).toBeGreaterThanOrEqual(after - 1)
        }
      },
    ),
    { numRuns: 60 },
  )
})

describe('the quota usage', () => {
  test.each([1, 5, 10, 50, 200, 1_000])(
    'is at least 97 % of %i calls per second with late timers',
    (permits) => {
      const bucket = new TokenBucket({ permits, windowMs: WINDOW_MS, burst: Math.ceil(permits / 10) })
      const lateMs = [0.3, 1.2, 0.9, 4, 1.1, 0.2, 2.5, 0.8, 1.4, 9]
      const written: number[] = []
      let nowMs = 0
      for (let turn = 0; nowMs < 100_000; turn += 1) {
        let waitMs = bucket.take(nowMs)
        for (; waitMs === 0; waitMs = bucket.take(nowMs)) {
          written.push(nowMs)
          bucket.confirm(nowMs, nowMs)
        }
        nowMs += Math.ceil(waitMs) + (lateMs[turn % lateMs.length] ?? 0)
      }
      expect(written.length / 100 / permits).toBeGreaterThanOrEqual(0.97)
      expect(maxWithin(written, WINDOW_MS - ROUNDING_MS)).toBe(permits)
      // A late timer is compensated, but not all at once.
      expect(maxWithin(written, 10)).toBeLessThanOrEqual(Math.ceil(permits * 0.22) + 1)
    },
  )

  test.each([5, 10, 50, 200])(
    'reaches half of %i calls per second without longer waits than the interval between permits',
    (permits) => {
      const bucket = new TokenBucket({ permits, windowMs: WINDOW_MS, burst: Math.ceil(permits / 10) })
      for (let call = 0; call < 20 * permits; call += 1) {
        // Slightly uneven, like real records.
        const nowMs = (call + 0.4 * Math.sin(call)) * (2_000 / permits)
        const waitMs = bucket.take(nowMs)
        expect(waitMs).toBeLessThanOrEqual(1_000 / permits)
        expect(waitMs === 0 || bucket.take(nowMs + waitMs) === 0).toBe(true)
        bucket.confirm(nowMs, nowMs + waitMs)
      }
    },
  )
})
