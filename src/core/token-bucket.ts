/**
 * The quota inside one process: a token bucket for smoothness and a ring of the last grants that makes "at most n in
 * any window" exact. Pure: it is told a monotonic time in milliseconds.
 *
 * The bucket alone does not keep the promise: capacity b and rate r let n + b through in a window. The ring alone does,
 * but lets the whole window's permits through in its first millisecond. Together they grant evenly and never too much.
 */
export interface TokenBucketOptions {
  /** Permits in any window. */
  readonly permits: number
  /** The window: 1 s, plus a guard against jitter on the way to the API. */
  readonly windowMs: number
  /** Permits that may be granted at once after idling. */
  readonly burst: number
}

const AFTER_THROTTLING_MS = 1_000

export class TokenBucket {
  /** What it has to say it says when it is asked. */
  readonly unavailable = null
  readonly #windowMs: number
  readonly #burst: number
  readonly #perMs: number
  /** Times of the last `permits` grants; `#at` is the oldest, the next to be overwritten. */
  readonly #grants: Float64Array
  #at = 0
  #tokens: number
  #refilledMs = 0
  #notBeforeMs = 0

  constructor({ permits, windowMs, burst }: TokenBucketOptions) {
    this.#windowMs = windowMs
    this.#burst = burst
    this.#perMs = permits / windowMs
    this.#grants = new Float64Array(permits).fill(-Infinity)
    this.#tokens = burst
  }

  onAvailable(): void {
    // It never has to be waited for but until the time it names.
  }

  /** Takes a permit and returns 0, or returns the milliseconds until one can be taken. */
  take(nowMs: number): number {
    this.#refill(nowMs)
    const oldest = this.#grants[this.#at] ?? -Infinity
    // A token that is a rounding error short is whole: else the wait for it would be too small to pass.
    const forToken = this.#tokens > 1 - 1e-9 ? 0 : (1 - this.#tokens) / this.#perMs
    const waitMs = Math.max(0, this.#notBeforeMs - nowMs, oldest + this.#windowMs - nowMs, forToken)
    if (waitMs > 0) return waitMs
    this.#tokens = Math.max(0, this.#tokens - 1)
    this.#grants[this.#at] = nowMs
    this.#at = (this.#at + 1) % this.#grants.length
    return 0
  }

  starts(): boolean {
    return true
  }

  /** The API refused a call: others share the account. Nothing is granted for a while. */
  throttled(nowMs: number, retryAfterMs: number | null): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + (retryAfterMs ?? AFTER_THROTTLING_MS))
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#refilledMs)
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs)
    this.#refilledMs = Math.max(this.#refilledMs, nowMs)
  }
}

/** No limit at all: for a loopback endpoint only. */
export const UNLIMITED = {
  unavailable: null,
  onAvailable: () => undefined,
  take: () => 0,
  starts: () => true,
  throttled: () => undefined,
} as const
