/** Who waits, by where it comes from: each source has its turn, however many of another wait, and within one the first comes first. */
export class FairQueue<T> {
  readonly #sources = new Map<string, T[]>()
  #length = 0

  get length(): number {
    return this.#length
  }

  push(source: string, item: T): void {
    const items = this.#sources.get(source)
    if (items === undefined) this.#sources.set(source, [item])
    else items.push(item)
    this.#length += 1
  }

  /** Whose turn it is. */
  peek(): T | undefined {
    return this.#sources.values().next().value?.[0]
  }

  /** Takes it; its source goes behind the others. */
  shift(): T | undefined {
    const [first] = this.#sources
    if (first === undefined) return undefined
    const [source, items] = first
    const item = items.shift()
    this.#length -= 1
    this.#sources.delete(source)
    if (items.length > 0) this.#sources.set(source, items)
    return item
  }

  /** Takes all of these out, wherever they stand. */
  remove(which: (item: T) => boolean): T[] {
    const removed: T[] = []
    for (const [source, items] of this.#sources) {
      const left: T[] = []
      for (const item of items) (which(item) ? removed : left).push(item)
      if (left.length > 0) this.#sources.set(source, left)
      else this.#sources.delete(source)
    }
    this.#length -= removed.length
    return removed
  }
}
