/**
 * The transactions one partition has seen lately, for callbacks repeat (the vendor's sibling product sends up to three
 * within seconds). Pure and bounded: the oldest are forgotten first.
 *
 * A record is a repeat only of one that stands before it. Else a record read again after a claim would be taken for a
 * repeat of itself, or of its own repeat, and be lost.
 *
 *   5 a   7 b   9 a        9 repeats 5
 *   read again from 5:     5 a is itself, 9 repeats it again
 */
interface Sighting {
  readonly offset: bigint
  readonly sinceMs: number
}

/** Of an id and an offset each: some 150 kilobytes for a partition. */
const MOST = 1_000

export class RecentTransactions {
  readonly #windowMs: number
  /** In the order they were seen. */
  readonly #seen = new Map<string, Sighting>()

  /** 0 sees no repeats at all. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Whether an earlier record of the partition had the same transaction; remembers this one if not. */
  repeats(transactionId: string, offset: bigint, nowMs: number): boolean {
    if (this.#windowMs === 0) return false
    const earlier = this.#seen.get(transactionId)
    if (earlier !== undefined && earlier.offset < offset && nowMs - earlier.sinceMs < this.#windowMs)
      return true
    this.#seen.delete(transactionId)
    this.#seen.set(transactionId, { offset, sinceMs: nowMs })
    if (this.#seen.size > MOST) this.forget(this.#seen.keys().next().value ?? '')
    return false
  }

  /** It was not settled after all: whoever comes with it next is heard. */
  forget(transactionId: string): void {
    this.#seen.delete(transactionId)
  }
}
