/** The broker's side of one input partition: the committed outputs, the current claim, and injected faults. */
import type { ClaimPartition, Failure, OutputSink, OutputRecord, PublishOutcome } from '../../src/ports.ts'

/**
 * Fault of the next transaction. `lost`: it is committed, but the client gets no answer. `denied`: it fails until an
 * operator acts.
 */
export type Fault = 'fenced' | 'failed' | 'lost' | 'denied' | 'refused'

const AWAY: Failure = { code: 'ECONNREFUSED', message: 'No broker is reachable.', temporary: true }
const DENIED: Failure = { code: 'TOPIC_AUTHORIZATION_FAILED', message: 'Grant WRITE.', temporary: false }
const TOO_LARGE: Failure = { code: 'MESSAGE_TOO_LARGE', message: 'A record is too large.', temporary: false }

export class FakePartition {
  committed: bigint | null
  readonly outputs: OutputRecord[] = []
  /** One entry for each transaction: the number of outputs and the next offset. */
  readonly transactions: (readonly [outputs: number, nextOffset: bigint])[] = []
  readonly faults: Fault[] = []
  /** Outputs that are rejected permanently. */
  refuses: (output: OutputRecord) => boolean = () => false
  claims = 0
  prepared = 0
  open = 0
  /** This many claims fail first. */
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
      return { kind: 'failed', failure: AWAY }
    }
    this.claims += 1
    this.open += 1
    return { kind: 'claimed', sink: this.#sink() }
  }

  /** Holds back claims and transactions until {@link release}. */
  hold(): void {
    this.#held = new Promise((resolve) => void (this.#release = resolve))
  }

  release(): void {
    this.#release()
  }

  #sink(): OutputSink {
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
    if (fault === 'refused' || outputs.some((output) => this.refuses(output)))
      return { kind: 'refused', failure: TOO_LARGE }
    if (fault !== 'failed' && fault !== 'denied') {
      this.outputs.push(...outputs)
      this.transactions.push([outputs.length, nextOffset])
      this.committed = nextOffset
    }
    return fault === undefined
      ? { kind: 'committed' }
      : { kind: 'failed', failure: fault === 'denied' ? DENIED : AWAY }
  }
}
