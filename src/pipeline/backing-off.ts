/**
 * A quota that others count, slowed down where the API says "too many" all the same. Its own pace is left alone while
 * nothing is refused.
 */
import { BackOff } from '../core/back-off.ts'
import type { RateLimiter } from '../ports.ts'

export class BackingOff implements RateLimiter {
  readonly #limiter: RateLimiter
  readonly #permits: number
  readonly #backOff = new BackOff()
  #lastMs = -Infinity

  /** `permits` a second are the most this replica would ever be given. */
  constructor(limiter: RateLimiter, permits: number) {
    this.#limiter = limiter
    this.#permits = permits
  }

  get unavailable(): string | null {
    return this.#limiter.unavailable
  }

  onAvailable(listener: () => void): void {
    this.#limiter.onAvailable(listener)
  }

  take(nowMs: number, waiting: number): number {
    const rate = this.rate(nowMs)
    const restMs = this.#backOff.restMs(nowMs)
    const paceMs = rate < this.#permits ? this.#lastMs + 1_000 / rate - nowMs : 0
    if (restMs > 0 || paceMs > 0) return Math.max(restMs, paceMs)
    const waitMs = this.#limiter.take(nowMs, rate < this.#permits ? 1 : waiting)
    if (waitMs === 0) this.#lastMs = nowMs
    return waitMs
  }

  starts(takenMs: number, nowMs: number): boolean {
    return this.#limiter.starts(takenMs, nowMs)
  }

  throttled(nowMs: number, retryAfterMs: number | null): void {
    this.#backOff.throttled(nowMs, retryAfterMs)
  }

  /** Calls per second it lets through now. */
  rate(nowMs: number): number {
    return this.#backOff.rate(this.#permits, nowMs)
  }
}
