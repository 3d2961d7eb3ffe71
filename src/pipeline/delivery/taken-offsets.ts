/** Which offsets of a partition a lane has taken, and whether any were skipped before the first one. Pure. */
export class TakenOffsets {
  /** The first offset that was received. If it is above the committed offset, records were skipped. */
  #first: bigint | null = null
  #last: bigint | null = null
  /** No gap is possible anymore, so a claim after a failure need not check again. */
  #verified = false

  /** The offset after the last one that was taken. */
  get next(): bigint {
    return this.#last === null ? 0n : this.#last + 1n
  }

  /** False if the offset was taken before. */
  take(offset: bigint): boolean {
    this.#first ??= offset
    if (this.#last !== null && offset <= this.#last) return false
    this.#last = offset
    return true
  }

  /** Everything below `offset` is committed, whether or not it was received. */
  skipTo(offset: bigint): void {
    if (this.#last === null || this.#last < offset) this.#last = offset - 1n
  }

  /** Everything from `offset` on is read again; null is the beginning. */
  restartAt(offset: bigint | null): void {
    this.#verified = true
    this.#last = offset === null ? null : offset - 1n
  }

  /**
   * The offset to read from if records were skipped between the committed offset and the first received one; otherwise
   * null.
   */
  gapFrom(committedOffset: bigint | null): bigint | null {
    if (this.#verified || this.#first === null) return null
    this.#verified = true
    return committedOffset !== null && this.#first > committedOffset ? committedOffset : null
  }
}
