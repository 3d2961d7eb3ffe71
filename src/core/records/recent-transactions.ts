/**
 * Remembers recent transactions to skip repeated callbacks: the vendor's sibling product sends up to three within
 * seconds. One bounded memory for all partitions of the process; the oldest entries are dropped first. Pure.
 *
 * A record is a duplicate only while another record of its partition represents the transaction: one that is being
 * processed, or one whose result is committed. A record that ends as a retry copy or dead letter no longer represents
 * it, so the next callback makes a call, and the retry copy is the duplicate once there is a result.
 *
 *   event a, too early     deferred: a is forgotten, its retry copy waits
 *   event a again          calls, its result is committed, represents the transaction
 *   retry copy is due      a duplicate: no call, no output
 *
 * No transaction is lost. A record that represents one is either committed, or its lane drops it first. In that case it
 * no longer represents it, and the next owner of the partition reads it again. This also holds for the lanes of the
 * input topic and a retry topic, although they commit independently.
 */

/**
 * The lane's context in which a record is processed. Once `isWanted` returns false, the record comes to nothing unless
 * it is committed already.
 */
export interface TransactionOwner {
  readonly isWanted: () => boolean
}

export type EntryId = number

/** An entry is an id, an owner and a time: about 2 MB in total. */
const CAPACITY = 10_000

export class RecentTransactions {
  readonly #windowMs: number
  readonly #capacity: number
  readonly #entryIds = new Map<string, EntryId>()
  // Parallel ring buffers, filled on demand. An object per entry would live long enough to be expensive to collect.
  readonly #keys: string[] = []
  readonly #owners: (TransactionOwner | null)[] = []
  readonly #sinceMs: number[] = []
  #next: EntryId = 0

  /** A window of 0 detects no duplicates. */
  constructor(windowMs: number, capacity = CAPACITY) {
    this.#windowMs = windowMs
    this.#capacity = capacity
  }

  /**
   * Null if the record is a duplicate. Otherwise the record represents its transaction from now on, under the returned
   * id. `partition` is the partition of the input topic, also for a retry copy.
   */
  begin(partition: number, transactionId: string, owner: TransactionOwner, nowMs: number): EntryId | null {
    const key = `${partition} ${transactionId}`
    const earlier = this.#entryIds.get(key)
    if (earlier !== undefined && this.#isCurrentlyHeld(earlier, nowMs)) return null
    return this.#remember(key, owner, nowMs)
  }

  /** The result is committed, so the entry stays valid even if the lane is closed. */
  committed(entryId: EntryId): void {
    if (this.#isCurrent(entryId)) this.#owners[entryId % this.#capacity] = null
  }

  /** The record has no result, so the next record of the transaction makes a call. */
  forget(entryId: EntryId): void {
    const key = this.#keys[entryId % this.#capacity]
    if (key !== undefined && this.#entryIds.get(key) === entryId) this.#entryIds.delete(key)
  }

  /** The partition's log was replaced, so none of its entries is valid anymore. */
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
    // The slot's previous entry is the oldest one. Its transaction may have a newer entry elsewhere, which must stay.
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
