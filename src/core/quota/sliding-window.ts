/**
 * Guarantees "at most n calls in any window" with the times of the last calls. Pure, with monotonic times in
 * milliseconds.
 *
 * A call that has a permit but is not written yet counts as if it were written now. So it counts in every window that
 * it may still fall into, and neither a stall nor a slow handshake can bring the calls of two windows together.
 */
export class SlidingWindow {
  readonly #windowMs: number
  /** Times of the last calls. `#at` is the oldest entry, which is overwritten next. */
  readonly #written: Float64Array
  #at = 0
  #pending = 0

  /** `max` is the largest limit that will be passed to {@link waitMs}. */
  constructor(max: number, windowMs: number) {
    this.#windowMs = windowMs
    this.#written = new Float64Array(max).fill(-Infinity)
  }

  /** Milliseconds until another call fits under the limit. Infinity: not until a pending call is written or dropped. */
  waitMs(nowMs: number, limit: number): number {
    const back = limit - this.#pending
    if (back <= 0) return Infinity
    const { length } = this.#written
    const written = this.#written[(this.#at - back + length) % length] ?? -Infinity
    return Math.max(0, written + this.#windowMs - nowMs)
  }

  granted(): void {
    this.#pending += 1
  }

  written(nowMs: number): void {
    this.#pending -= 1
    this.#written[this.#at] = nowMs
    this.#at = (this.#at + 1) % this.#written.length
  }

  /** The call will never be written. */
  dropped(): void {
    this.#pending -= 1
  }
}
