/** Which offsets of a partition a lane has taken, and whether some were left out before the first. Pure. */
export class TakenOffsets {
  /** Where the first delivery began: at or below the committed offset, else records were left out. */
  #first: bigint | null = null
  #last: bigint | null = null
  /** What came since is without a hole; a claim after a failure of our own need not ask again. */
  #verified = false

  /** The offset behind the last that was taken. */
  get next(): bigint {
    return this.#last === null ? 0n : this.#last + 1n
  }

  /** False when it was taken before. */
  take(offset: bigint): boolean {
    this.#first ??= offset
    if (this.#last !== null && offset <= this.#last) return false
    this.#last = offset
    return true
  }

  /** What is below is out, whether it has come or is still to come. */
  skipTo(offset: bigint): void {
    if (this.#last === null || this.#last < offset) this.#last = offset - 1n
  }

  /** Everything from there on is read again; null is the beginning. */
  restartAt(offset: bigint | null): void {
    this.#verified = true
    this.#last = offset === null ? null : offset - 1n
  }

  /** Where to read again because records were left out between the committed offset and the first that came; else null. */
  gapFrom(committedOffset: bigint | null): bigint | null {
    if (this.#verified || this.#first === null) return null
    this.#verified = true
    return committedOffset !== null && this.#first > committedOffset ? committedOffset : null
  }
}
