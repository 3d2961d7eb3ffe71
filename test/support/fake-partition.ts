/** The broker's side of one input partition: what was committed, who holds the claim, and faults by order. */
import type { ClaimPartition, OutputLog, OutputRecord, PublishOutcome } from '../../src/ports.ts'

/** How the next transaction goes: `lost` has committed, but nobody was told. */
export type Fault = 'fenced' | 'failed' | 'lost'

export class FakePartition {
  committed: bigint | null
  readonly outputs: OutputRecord[] = []
  /** One entry a transaction: how many outputs, and the next offset. */
  readonly transactions: (readonly [outputs: number, nextOffset: bigint])[] = []
  readonly faults: Fault[] = []
  claims = 0
  prepared = 0
  open = 0
  /** So many claims are refused first. */
  refusals = 0
  #held: Promise<void> = Promise.resolve()
  #release: () => void = () => undefined

  constructor(committed: bigint | null = null) {
    this.committed = committed
  }

  readonly claim: ClaimPartition = async () => {
    await this.#held
    if (this.refusals > 0) {
      this.refusals -= 1
      throw new Error('No broker answers.')
    }
    this.claims += 1
    this.open += 1
    return this.#log()
  }

  /** Claims and transactions wait until {@link release}. */
  hold(): void {
    this.#held = new Promise((resolve) => void (this.#release = resolve))
  }

  release(): void {
    this.#release()
  }

  #log(): OutputLog {
    return {
      committedOffset: this.committed,
      prepare: () => void (this.prepared += 1),
      publish: (outputs, nextOffset) => this.#publish(outputs, nextOffset),
      close: () => {
        this.open -= 1
        return Promise.resolve()
      },
    }
  }

  async #publish(outputs: readonly OutputRecord[], nextOffset: bigint): Promise<PublishOutcome> {
    await this.#held
    const fault = this.faults.shift()
    if (fault === 'fenced') return { kind: 'fenced' }
    if (fault !== 'failed') {
      this.outputs.push(...outputs)
      this.transactions.push([outputs.length, nextOffset])
      this.committed = nextOffset
    }
    return fault === undefined
      ? { kind: 'committed' }
      : { kind: 'failed', message: 'The connection is gone.' }
  }
}
