/**
 * What another machine's clock shows, in terms of our monotonic one. Pure: it is told of answers that carry the other's
 * time, of which is only known that it was read between our asking and our getting the answer. So the difference of the
 * clocks is known as an interval, which each answer narrows and the drift of the clocks widens.
 */
export interface Sighting {
  /** Monotonic. */
  readonly askedMs: number
  readonly answeredMs: number
  /** What the other clock showed in between. */
  readonly shownMs: number
}

/** The most by which NTP slows a clock down or speeds it up. */
const DRIFT = 0.0005
/** Less than this is no jump: nobody's guard is that tight. */
const TOLERANCE_MS = 1

export class ServerClock {
  /** Bounds of monotonic time less the other's, as of `#atMs`. */
  #min = -Infinity
  #max = Infinity
  #atMs = 0

  /** False when the other clock cannot have come from what it showed before to this: it was put forward or back. */
  see({ askedMs, answeredMs, shownMs }: Sighting): boolean {
    const driftMs = this.#driftMs(answeredMs)
    const min = Math.max(askedMs - shownMs, this.#min - driftMs)
    const max = Math.min(answeredMs - shownMs, this.#max + driftMs)
    this.#atMs = answeredMs
    const isSteady = min <= max + TOLERANCE_MS
    // Within the tolerance the later word counts.
    this.#min = min <= max ? min : askedMs - shownMs
    this.#max = min <= max ? max : answeredMs - shownMs
    return isSteady
  }

  /** How long an instant of the other clock may be apart from where it is taken to be; Infinity before the first sighting. */
  uncertaintyMs(nowMs: number): number {
    return this.#max - this.#min + 2 * this.#driftMs(nowMs)
  }

  /** Our time when the other clock shows `shownMs`: not before the first, not after the second. */
  bounds(shownMs: number): { readonly earliestMs: number; readonly latestMs: number } {
    return { earliestMs: shownMs + this.#min, latestMs: shownMs + this.#max }
  }

  /** The most it can show at `nowMs`. */
  maxShownMs(nowMs: number): number {
    return nowMs - this.#min + this.#driftMs(nowMs)
  }

  #driftMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#atMs) * DRIFT
  }
}
