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
export interface TransactionLife {
  readonly wanted: () => boolean
}

export type Place = number

/** Of an id, a life and a time each: some 2 megabytes in all. */
const CAPACITY = 10_000

export class RecentTransactions {
  readonly #windowMs: number
  readonly #capacity: number
  readonly #places = new Map<string, Place>()
  // Rings, filled as they are needed. Not an object for each entry: it would live long enough to be costly to collect.
  readonly #keys: string[] = []
  readonly #lives: (TransactionLife | null)[] = []
  readonly #sinceMs: number[] = []
  #next: Place = 0

  /** A window of 0 sees no repeats at all. */
  constructor(windowMs: number, capacity = CAPACITY) {
    this.#windowMs = windowMs
    this.#capacity = capacity
  }

  /**
   * Null when it is a repeat; otherwise the record stands for its transaction from now on, at a place to be given to the other
   * methods. `partition` is that of the input topic, also for a retry copy.
   */
  begin(partition: number, transactionId: string, life: TransactionLife, nowMs: number): Place | null {
    const key = `${partition} ${transactionId}`
    const earlier = this.#places.get(key)
    if (earlier !== undefined && this.#stands(earlier, nowMs)) return null
    return this.#remember(key, life, nowMs)
  }

  /** Its result is committed: it stands for the transaction whatever becomes of its lane. */
  committed(place: Place): void {
    if (this.#isCurrent(place)) this.#lives[place % this.#capacity] = null
  }

  /** It has no result: whoever comes next with its transaction is asked for. */
  forget(place: Place): void {
    const key = this.#keys[place % this.#capacity]
    if (key !== undefined && this.#places.get(key) === place) this.#places.delete(key)
  }

  /** Whatever came of its transactions: the partition has another log. */
  forgetPartition(partition: number): void {
    for (const key of this.#places.keys()) if (key.startsWith(`${partition} `)) this.#places.delete(key)
  }

  #stands(place: Place, nowMs: number): boolean {
    const slot = place % this.#capacity
    const isCommitted = this.#lives[slot] === null
    return (
      nowMs - (this.#sinceMs[slot] ?? 0) < this.#windowMs &&
      (isCommitted || this.#lives[slot]?.wanted() === true)
    )
  }

  #remember(key: string, life: TransactionLife, nowMs: number): Place {
    const place = this.#next
    this.#next += 1
    if (this.#windowMs === 0) return place
    const slot = place % this.#capacity
    // Whoever stood in this slot is the oldest; its transaction may have been seen again and stand elsewhere.
    if (place >= this.#capacity) this.forget(place - this.#capacity)
    this.#keys[slot] = key
    this.#lives[slot] = life
    this.#sinceMs[slot] = nowMs
    this.#places.set(key, place)
    return place
  }

  #isCurrent(place: Place): boolean {
    const key = this.#keys[place % this.#capacity]
    return key !== undefined && this.#places.get(key) === place
  }
}
