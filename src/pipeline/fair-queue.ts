/** Who waits, by where it comes from: each source has its turn, however many of another wait, and within one the first comes first. */
export class FairQueue<T> {
  /** Kept when nobody waits any more: there are as many as partitions, and most come again. */
  readonly #queues = new Map<string, T[]>()
  /** Those in which somebody waits, in the order of their turns. */
  #turns: T[][] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  push(key: string, item: T): void {
    let items = this.#queues.get(key)
    if (items === undefined) {
      items = []
      this.#queues.set(key, items)
    }
    if (items.length === 0) this.#turns.push(items)
    items.push(item)
    this.#length += 1
  }

  /** Whose turn it is. */
  peek(): T | undefined {
    return this.#turns[0]?.[0]
  }

  /** Takes it; its source goes behind the others. */
  shift(): T | undefined {
    const items = this.#turns.shift()
    const item = items?.shift()
    if (items === undefined || item === undefined) return undefined
    this.#length -= 1
    if (items.length > 0) this.#turns.push(items)
    return item
  }

  /** Brings the first of these forward, so that it is next. False when there is none; then nothing changes. */
  prefer(which: (item: T) => boolean): boolean {
    for (const [turn, items] of this.#turns.entries()) {
      const at = items.findIndex(which)
      if (at < 0) continue
      items.unshift(...items.splice(at, 1))
      this.#turns.unshift(...this.#turns.splice(turn, 1))
      return true
    }
    return false
  }

  /** Takes all of these out, wherever they stand. */
  remove(which: (item: T) => boolean): T[] {
    const removed: T[] = []
    for (const items of this.#turns) {
      const left: T[] = []
      for (const item of items) (which(item) ? removed : left).push(item)
      items.splice(0, items.length, ...left)
    }
    this.#turns = this.#turns.filter((items) => items.length > 0)
    this.#length -= removed.length
    return removed
  }
}
