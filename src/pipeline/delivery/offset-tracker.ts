/**
 * Tracks the records of one partition until they are committed. Records arrive in the order of their offsets, finish in
 * any order, and are committed as the longest finished prefix.
 *
 *   add     3 4 7 9      3 . 4 . 7 . 9 .
 *   finish  4            3 . 4 x 7 . 9 .     prefix: none
 *   finish  3            3 x 4 x 7 . 9 .     prefix: 3 4, next offset 5
 *   commit  5            7 . 9 .
 *   finish  7 9          7 x 9 x             prefix: 7 9, next offset 10
 *
 * Offsets have gaps (compaction, transaction markers), so the tracker uses the offsets of actual records and never
 * computes one.
 */
export interface Tracked<Item, Result> {
  readonly offset: bigint
  readonly item: Item
  result: Result | null
  /** The record may be committed. Remembered so that the check runs only once. */
  passed: boolean
}

export interface Prefix<Item, Result> {
  readonly finished: readonly (Tracked<Item, Result> & { result: Result })[]
  /** The offset to commit with the prefix, which is the next one to read. */
  readonly nextOffset: bigint
}

export class OffsetTracker<Item, Result> {
  readonly #sizeOf: (item: Item) => number
  #entries: Tracked<Item, Result>[] = []
  #started = 0
  #bytes = 0

  constructor(sizeOf: (item: Item) => number) {
    this.#sizeOf = sizeOf
  }

  /** Records added and not yet committed. */
  get size(): number {
    return this.#entries.length
  }

  /** Records added but not started. */
  get waiting(): number {
    return this.#entries.length - this.#started
  }

  /** The total size of the tracked records. */
  get bytes(): number {
    return this.#bytes
  }

  get oldest(): Tracked<Item, Result> | undefined {
    return this.#entries[0]
  }

  /** The results of finished records that are not committed yet. */
  get results(): Result[] {
    return this.#entries.filter(isFinished).map(({ result }) => result)
  }

  add(offset: bigint, item: Item): void {
    this.#entries.push({ offset, item, result: null, passed: false })
    this.#bytes += this.#sizeOf(item)
  }

  /** The next record that is not started. Does not start it. */
  peek(): Tracked<Item, Result> | undefined {
    return this.#entries[this.#started]
  }

  /** Marks the record returned by {@link peek} as started. */
  begin(): void {
    this.#started += 1
  }

  /** The longest finished prefix whose records pass the check, limited to `limit` records; null if it is empty. */
  prefix(limit: number, passes: (result: Result) => boolean): Prefix<Item, Result> | null {
    const finished: (Tracked<Item, Result> & { result: Result })[] = []
    for (const entry of this.#entries) {
      if (finished.length === limit || !isFinished(entry)) break
      entry.passed ||= passes(entry.result)
      if (!entry.passed) break
      finished.push(entry)
    }
    const last = finished.at(-1)
    return last === undefined ? null : { finished, nextOffset: last.offset + 1n }
  }

  /** Removes the records of a prefix. Returns false if they were cleared meanwhile. */
  committed({ finished }: Prefix<Item, Result>): boolean {
    if (this.#entries[0] !== finished[0]) return false
    this.#remove(finished.length)
    return true
  }

  /** Removes and returns all records below `offset`, because they are committed. */
  removeBelow(offset: bigint): readonly Tracked<Item, Result>[] {
    const at = this.#entries.findIndex((entry) => entry.offset >= offset)
    return this.#remove(at === -1 ? this.#entries.length : at)
  }

  clear(): void {
    this.#entries = []
    this.#started = 0
    this.#bytes = 0
  }

  #remove(count: number): readonly Tracked<Item, Result>[] {
    const removed = this.#entries.splice(0, count)
    for (const { item } of removed) this.#bytes -= this.#sizeOf(item)
    this.#started = Math.max(0, this.#started - count)
    return removed
  }
}

export function isFinished<Item, Result>(
  entry: Tracked<Item, Result>,
): entry is Tracked<Item, Result> & { result: Result } {
  return entry.result !== null
}
