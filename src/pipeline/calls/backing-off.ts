/**
 * Slows down a quota that is counted outside the process if the API answers "too many requests" although the quota
 * allowed the call. Does not change the quota's own pace otherwise.
 */
import { BackOff } from '../../core/back-off.ts'
import type { RateLimiter } from '../../ports.ts'

/** `limit` is the maximum of calls per second that this replica may get. It may change. */
type LimitedLimiter = RateLimiter & { readonly limit: number }

export class BackingOff implements RateLimiter {
  readonly #limiter: LimitedLimiter
  readonly #backOff = new BackOff()
  #lastMs = -Infinity

  constructor(limiter: LimitedLimiter) {
    this.#limiter = limiter
  }

  get unavailable(): string | null {
    return this.#limiter.unavailable
  }

  onAvailable(listener: () => void): void {
    this.#limiter.onAvailable(listener)
  }

  take(nowMs: number, waiting: number): number {
    const rate = this.rate(nowMs)
    const isSlowed = rate < this.#limiter.limit
    const restMs = this.#backOff.restMs(nowMs)
    const paceMs = isSlowed ? this.#lastMs + 1_000 / rate - nowMs : 0
    if (restMs > 0 || paceMs > 0) return Math.max(restMs, paceMs)
    const waitMs = this.#limiter.take(nowMs, isSlowed ? 1 : waiting)
    if (waitMs === 0) this.#lastMs = nowMs
    return waitMs
  }

  confirm(takenMs: number, nowMs: number): boolean {
    return this.#limiter.confirm(takenMs, nowMs)
  }

  throttled(nowMs: number, retryAfterMs: number | null): void {
    this.#backOff.throttled(nowMs, retryAfterMs)
  }

  /** Calls per second that are allowed now. */
  rate(nowMs: number): number {
    return this.#backOff.rate(this.#limiter.limit, nowMs)
  }
}
