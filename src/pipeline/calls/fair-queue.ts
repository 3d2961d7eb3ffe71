/**
 * A queue with one list per key. Keys take turns, however many items another key has; within a key, items are served in
 * order.
 */
export class FairQueue<T> {
  /** Empty lists are kept, because there are only as many as partitions and most are used again. */
  readonly #queues = new Map<string, T[]>()
  /** The lists that are not empty, in the order of their turns. */
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

  /** The next item. */
  peek(): T | undefined {
    return this.#turns[0]?.[0]
  }

  /** Removes the next item. Its key goes to the end of the turns. */
  shift(): T | undefined {
    const items = this.#turns.shift()
    const item = items?.shift()
    if (items === undefined || item === undefined) return undefined
    this.#length -= 1
    if (items.length > 0) this.#turns.push(items)
    return item
  }

  /** Moves the first matching item to the front. Returns false and changes nothing if no item matches. */
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

  /** Removes and returns all matching items. */
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
