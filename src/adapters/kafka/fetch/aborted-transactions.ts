/** Finds the batches of a fetch response that belong to aborted transactions. */

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

/** Must be called for all batches in order, starting with the first in the response. */
export class AbortedTransactions {
  /** Sorted by first offset. The broker lists them in the order they end, and they may overlap. */
  readonly #aborted: readonly AbortedTransaction[]
  readonly #open = new Set<bigint>()
  #begun = 0

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = aborted.toSorted((left, right) => Number(left.firstOffset - right.firstOffset))
  }

  /** Whether a transactional batch of this producer, with this last offset, was aborted. */
  includes(producerId: bigint, lastOffset: bigint): boolean {
    for (; this.#begun < this.#aborted.length; this.#begun += 1) {
      const next = this.#aborted[this.#begun]
      if (next === undefined || next.firstOffset > lastOffset) break
      this.#open.add(next.producerId)
    }
    return this.#open.has(producerId)
  }

  /** Ends the producer's aborted transaction. A commit marker never ends one. */
  end(producerId: bigint): void {
    this.#open.delete(producerId)
  }
}
