/** Counts calls in a sliding second, by a monotonic clock in milliseconds. Pure. */

/**
 * Both classes compare with `nowMs - WINDOW_MS`, because another formula could round differently and admit one call
 * too many.
 */
const WINDOW_MS = 1_000

/** Admits at most `limit` calls in any second. A rejected call does not count. */
export class SlidingLimit {
  readonly #times: Float64Array
  #at = 0

  constructor(limit: number) {
    this.#times = new Float64Array(limit).fill(-Infinity)
  }

  admit(nowMs: number): boolean {
    const oldest = this.#times[this.#at] ?? -Infinity
    if (oldest > nowMs - WINDOW_MS) return false
    this.#times[this.#at] = nowMs
    this.#at = (this.#at + 1) % this.#times.length
    return true
  }
}

/** Tracks the maximum number of arrivals in any sliding second. */
export class BusiestSecond {
  #times: number[] = []
  #first = 0
  #max = 0

  get max(): number {
    return this.#max
  }

  /** Arrivals in the second that ends now. */
  last(nowMs: number): number {
    this.#forgetBefore(nowMs)
    return this.#times.length - this.#first
  }

  arrived(nowMs: number): void {
    this.#times.push(nowMs)
    this.#forgetBefore(nowMs)
    this.#max = Math.max(this.#max, this.#times.length - this.#first)
    if (this.#first > 10_000) {
      this.#times = this.#times.slice(this.#first)
      this.#first = 0
    }
  }

  #forgetBefore(nowMs: number): void {
    while ((this.#times[this.#first] ?? nowMs) <= nowMs - WINDOW_MS) this.#first += 1
  }
}
