/**
 * Slows down when the API answers "too many requests" although the quota allowed the call, because others use the
 * account too. Halves the rate, then raises it gradually until the full share is back, so that all callers converge to
 * a fair split. Pure, with monotonic times.
 */

/** The pause if the API gives no hint. The vendor counts calls per second. */
const PAUSE_MS = 1_000
/** Further throttled answers within this time belong to calls from before the cut and do not halve the rate again. */
const CUT_ONCE_WITHIN_MS = 1_000
const RECOVERY_MS = 30_000
const MIN_FACTOR = 1 / 64
/** A lower rate would not notice that the other callers have stopped. */
const MIN_PER_SECOND = 0.5

export class BackOff {
  #factor = 1
  /** When the recovery began. */
  #sinceMs = -Infinity
  #cutMs = -Infinity
  #notBeforeMs = -Infinity

  /** How long no call may start, in milliseconds. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#notBeforeMs - nowMs)
  }

  /** Calls per second if `share` calls per second are allowed. */
  rate(share: number, nowMs: number): number {
    return Math.min(share, Math.max(share * this.#factorAt(nowMs), MIN_PER_SECOND))
  }

  throttled(nowMs: number, retryAfterMs: number | null): void {
    if (nowMs - this.#cutMs >= CUT_ONCE_WITHIN_MS) {
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
