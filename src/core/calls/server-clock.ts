/**
 * Estimates what another machine's clock shows in terms of our monotonic clock. Pure. Each answer contains the other
 * clock's time, read at some moment between our request and the answer. So the difference is known as an interval,
 * which each answer narrows and clock drift widens.
 */
export interface ClockReading {
  /** Monotonic times. */
  readonly askedMs: number
  readonly answeredMs: number
  /** The other clock's time in between. */
  readonly shownMs: number
}

/** The maximum rate by which NTP slows down or speeds up a clock. */
const DRIFT = 0.0005
/** A smaller difference is not a jump. No guard is this tight. */
const TOLERANCE_MS = 1

export class ServerClock {
  /** Bounds of (monotonic time - other clock) as of `#atMs`. */
  #min = -Infinity
  #max = Infinity
  #atMs = 0

  /** False if the other clock was set forward or back since the last reading. */
  update({ askedMs, answeredMs, shownMs }: ClockReading): boolean {
    const driftMs = this.#driftMs(answeredMs)
    const min = Math.max(askedMs - shownMs, this.#min - driftMs)
    const max = Math.min(answeredMs - shownMs, this.#max + driftMs)
    this.#atMs = answeredMs
    const isSteady = min <= max + TOLERANCE_MS
    // Within the tolerance, the latest reading takes precedence.
    this.#min = min <= max ? min : askedMs - shownMs
    this.#max = min <= max ? max : answeredMs - shownMs
    return isSteady
  }

  /** How inexactly a time of the other clock is known; Infinity before the first reading. */
  uncertaintyMs(nowMs: number): number {
    return this.#max - this.#min + 2 * this.#driftMs(nowMs)
  }

  /** Our earliest and latest possible time when the other clock shows `shownMs`. */
  bounds(shownMs: number): { readonly earliestMs: number; readonly latestMs: number } {
    return { earliestMs: shownMs + this.#min, latestMs: shownMs + this.#max }
  }

  /** The latest time that the other clock can show at `nowMs`. */
  maxShownMs(nowMs: number): number {
    return nowMs - this.#min + this.#driftMs(nowMs)
  }

  #driftMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#atMs) * DRIFT
  }
}
