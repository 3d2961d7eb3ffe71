/**
 * What to do when the API says "too many" all the same, for others share the account: half the rate, then a little more
 * each second until the whole is back. All who do so come to share what there is. Pure, on a monotonic time.
 */

/** Without a word from the API how long to wait: the vendor counts by the second. */
const PAUSE_MS = 1_000
/** Refusals so soon after another are answers to calls of before it. */
const ONCE_WITHIN_MS = 1_000
const RECOVERY_MS = 30_000
const MIN_FACTOR = 1 / 64
/** Fewer would not find out that the others have gone. */
const MIN_PER_SECOND = 0.5

export class BackOff {
  #factor = 1
  /** Since when it grows. */
  #sinceMs = -Infinity
  #cutMs = -Infinity
  #notBeforeMs = -Infinity

  /** Milliseconds in which there is to be no call. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#notBeforeMs - nowMs)
  }

  /** Calls per second when `share` are allowed. */
  rate(share: number, nowMs: number): number {
    return Math.min(share, Math.max(share * this.#factorAt(nowMs), MIN_PER_SECOND))
  }

  throttled(nowMs: number, retryAfterMs: number | null): void {
    if (nowMs - this.#cutMs >= ONCE_WITHIN_MS) {
      this.#factor = Math.max(MIN_FACTOR, this.#factorAt(nowMs) / 2)
      this.#cutMs = nowMs
    }
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + (retryAfterMs ?? PAUSE_MS))
    this.#sinceMs = this.#notBeforeMs
  }

  #factorAt(nowMs: number): number {
    if (this.#factor === 1) return 1
    return Math.min(1, this.#factor + Math.max(0, nowMs - this.#sinceMs) / RECOVERY_MS)
  }
}
