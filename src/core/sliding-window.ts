/**
 * What makes "at most n in any window" exact: the times of the last calls, as they were written. Pure, on a monotonic time
 * in milliseconds.
 *
 * A call that has its permit but is not written yet counts as if it were written now, whenever that is: so it takes its
 * place in every window it may still fall into, and neither a stall nor a slow handshake in between brings two windows'
 * calls together.
 */
export class SlidingWindow {
  readonly #windowMs: number
  /** Times of the last calls; `#at` is the oldest, the next to be overwritten. */
  readonly #written: Float64Array
  #at = 0
  #pending = 0

  /** `most` is the largest limit it will be asked about. */
  constructor(max: number, windowMs: number) {
    this.#windowMs = windowMs
    this.#written = new Float64Array(max).fill(-Infinity)
  }

  /** Milliseconds until one more fits under the limit; Infinity: not before a pending one is written or dropped. */
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

  /** It will never be written. */
  dropped(): void {
    this.#pending -= 1
  }
}
