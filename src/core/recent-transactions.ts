/**
 * The transactions seen lately, because callbacks repeat: the vendor's sibling product sends up to three within seconds. One
 * memory for all partitions of the process, bounded as a whole: the oldest are forgotten first. Pure.
 *
 * A record is a repeat only while another record of its partition stands for the transaction: one that is being processed, or
 * one whose result is out. A record that ends in a retry copy or a dead letter stands for nothing any more, so the next
 * callback is asked for at once, and the retry copy is the repeat once there is a result.
 *
 *   a early, deferred      a is forgotten, its copy waits
 *   a again, called        stands for the transaction, its result is committed
 *   the copy is due        a repeat: no call, no output
 *
 * No transaction is lost: a record that stands for one either comes out, or its lane drops it before that. Then it stands for
 * nothing any more, and it is read again by whoever owns its partition next. That holds for two lanes as well, the input
 * topic's and a retry topic's, although each commits by itself.
 */

/** Whoever processes a record. What was begun in a life that is over has come to nothing, unless it was committed. */
export interface TransactionOwner {
  readonly isWanted: () => boolean
}

export type EntryId = number

/** Of an id, a life and a time each: some 2 megabytes in all. */
const CAPACITY = 10_000

export class RecentTransactions {
  readonly #windowMs: number
  readonly #capacity: number
  readonly #entryIds = new Map<string, EntryId>()
  // Rings, filled as they are needed. Not an object for each entry: it would live long enough to be costly to collect.
  readonly #keys: string[] = []
  readonly #owners: (TransactionOwner | null)[] = []
  readonly #sinceMs: number[] = []
  #next: EntryId = 0

  /** A window of 0 sees no repeats at all. */
  constructor(windowMs: number, capacity = CAPACITY) {
    this.#windowMs = windowMs
    this.#capacity = capacity
  }

  /**
   * Null when it is a repeat; otherwise the record stands for its transaction from now on, at a place to be given to the other
   * methods. `partition` is that of the input topic, also for a retry copy.
   */
  begin(partition: number, transactionId: string, owner: TransactionOwner, nowMs: number): EntryId | null {
    const key = `${partition} ${transactionId}`
    const earlier = this.#entryIds.get(key)
    if (earlier !== undefined && this.#isCurrentlyHeld(earlier, nowMs)) return null
    return this.#remember(key, owner, nowMs)
  }

  /** Its result is committed: it stands for the transaction whatever becomes of its lane. */
  committed(entryId: EntryId): void {
    if (this.#isCurrent(entryId)) this.#owners[entryId % this.#capacity] = null
  }

  /** It has no result: whoever comes next with its transaction is asked for. */
  forget(entryId: EntryId): void {
    const key = this.#keys[entryId % this.#capacity]
    if (key !== undefined && this.#entryIds.get(key) === entryId) this.#entryIds.delete(key)
  }

  /** Whatever came of its transactions: the partition has another log. */
  forgetPartition(partition: number): void {
    for (const key of this.#entryIds.keys()) if (key.startsWith(`${partition} `)) this.#entryIds.delete(key)
  }

  #isCurrentlyHeld(entryId: EntryId, nowMs: number): boolean {
    const slot = entryId % this.#capacity
    const isCommitted = this.#owners[slot] === null
    return (
      nowMs - (this.#sinceMs[slot] ?? 0) < this.#windowMs &&
      (isCommitted || this.#owners[slot]?.isWanted() === true)
    )
  }

  #remember(key: string, owner: TransactionOwner, nowMs: number): EntryId {
    const entryId = this.#next
    this.#next += 1
    if (this.#windowMs === 0) return entryId
    const slot = entryId % this.#capacity
    // Whoever stood in this slot is the oldest; its transaction may have been seen again and stand elsewhere.
    if (entryId >= this.#capacity) this.forget(entryId - this.#capacity)
    this.#keys[slot] = key
    this.#owners[slot] = owner
    this.#sinceMs[slot] = nowMs
    this.#entryIds.set(key, entryId)
    return entryId
  }

  #isCurrent(entryId: EntryId): boolean {
    const key = this.#keys[entryId % this.#capacity]
    return key !== undefined && this.#entryIds.get(key) === entryId
  }
}
