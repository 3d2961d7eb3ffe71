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
/** Of an id, an offset and a time each: some 150 kilobytes for a partition. */
const MOST = 1_000

export class RecentTransactions {
  readonly #windowMs: number
  readonly #places = new Map<string, number>()
  // By place, over again when all are taken. Not an object for each: it would live long enough to be dear to collect.
  readonly #ids: string[] = []
  readonly #offsets = new BigInt64Array(MOST)
  readonly #sinceMs = new Float64Array(MOST)
  #next = 0

  /** 0 sees no repeats at all. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Whether an earlier record of the partition had the same transaction; remembers this one if not. */
  repeats(transactionId: string, offset: bigint, nowMs: number): boolean {
    if (this.#windowMs === 0) return false
    const earlier = this.#places.get(transactionId)
    if (earlier !== undefined && this.#isBefore(earlier, offset, nowMs)) return true
    this.#remember(transactionId, offset, nowMs)
    return false
  }

  /** It was not settled after all: whoever comes with it next is heard. */
  forget(transactionId: string): void {
    this.#places.delete(transactionId)
  }

  #isBefore(place: number, offset: bigint, nowMs: number): boolean {
    return (this.#offsets[place] ?? offset) < offset && nowMs - (this.#sinceMs[place] ?? 0) < this.#windowMs
  }

  #remember(transactionId: string, offset: bigint, nowMs: number): void {
    const place = this.#next
    this.#next = (place + 1) % MOST
    const oldest = this.#ids[place]
    // It may have been seen again since, and stand elsewhere.
    if (oldest !== undefined && this.#places.get(oldest) === place) this.#places.delete(oldest)
    this.#ids[place] = transactionId
    this.#offsets[place] = offset
    this.#sinceMs[place] = nowMs
    this.#places.set(transactionId, place)
  }
}
