/** Which batches of a fetch answer belong to aborted transactions. */

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

/** To be told of all batches in order, from the first in the answer. */
export class AbortedTransactions {
  /** In the order they begin. The broker lists them in the order they end, and they may overlap. */
  readonly #aborted: readonly AbortedTransaction[]
  readonly #open = new Set<bigint>()
  #begun = 0

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = aborted.toSorted((left, right) => Number(left.firstOffset - right.firstOffset))
  }

  /** Whether a transactional batch of this producer, with this last offset, is part of one. */
  includes(producerId: bigint, lastOffset: bigint): boolean {
    for (; this.#begun < this.#aborted.length; this.#begun += 1) {
      const next = this.#aborted[this.#begun]
      if (next === undefined || next.firstOffset > lastOffset) break
      this.#open.add(next.producerId)
    }
    return this.#open.has(producerId)
  }

  /** The producer's transaction ends here. A commit marker ends none of these. */
  end(producerId: bigint): void {
    this.#open.delete(producerId)
  }
}
