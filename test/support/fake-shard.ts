/** The broker's side of one shard: the committed outputs and offsets, the current claim, and injected faults. */
import { partitionKey } from '../../src/core/partitions/topic-partition.ts'
import type {
  ClaimShard,
  Failure,
  OutputRecord,
  OutputSink,
  PartitionOffset,
  PublishOutcome,
} from '../../src/ports.ts'

/**
 * Fault of the next transaction. `lost`: it is committed, but the client gets no answer. `denied`: it fails until an
 * operator acts.
 */
export type Fault = 'fenced' | 'failed' | 'lost' | 'denied' | 'refused'

const AWAY: Failure = { code: 'ECONNREFUSED', message: 'No broker is reachable.', temporary: true }
const DENIED: Failure = { code: 'TOPIC_AUTHORIZATION_FAILED', message: 'Grant WRITE.', temporary: false }
const TOO_LARGE: Failure = { code: 'MESSAGE_TOO_LARGE', message: 'A record is too large.', temporary: false }

const FIRST = { topic: 'in', partition: 0 }

export class FakeShard {
  /** By partition. */
  readonly offsets = new Map<string, bigint>()
  readonly outputs: OutputRecord[] = []
  /** One entry for each transaction: the number of outputs and the next offsets. */
  readonly transactions: (readonly [outputs: number, ...nextOffsets: bigint[]])[] = []
  readonly faults: Fault[] = []
  /** Outputs that are rejected permanently. */
  refuses: (output: OutputRecord) => boolean = () => false
  /** Outputs whose transactions fail. */
  fails: (output: OutputRecord) => boolean = () => false
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

  /** The committed offset of the first partition of the input topic. */
  get committed(): bigint | null {
    return this.offsets.get(partitionKey(FIRST)) ?? null
  }

  set committed(offset: bigint | null) {
    if (offset === null) this.offsets.delete(partitionKey(FIRST))
    else this.offsets.set(partitionKey(FIRST), offset)
  }

  readonly claim: ClaimShard = async () => {
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
    const offsets = new Map(this.offsets)
    return {
      committedOffset: (of) => offsets.get(partitionKey(of)) ?? null,
      prepare: () => void (this.prepared += 1),
      publish: (outputs, next) => this.#publish(outputs, next),
      close: () => {
        this.open -= 1
        return Promise.resolve()
      },
    }
  }

  async #publish(
    outputs: readonly OutputRecord[],
    offsets: readonly PartitionOffset[],
  ): Promise<PublishOutcome> {
    await this.#held
    const fault = this.faults.shift()
    if (fault === 'fenced') return { kind: 'fenced' }
    if (fault === 'refused' || outputs.some((output) => this.refuses(output)))
      return { kind: 'refused', failure: TOO_LARGE }
    if (outputs.some((output) => this.fails(output))) return { kind: 'failed', failure: DENIED }
    if (fault !== 'failed' && fault !== 'denied') {
      this.outputs.push(...outputs)
      this.transactions.push([outputs.length, ...offsets.map(({ nextOffset }) => nextOffset)])
      for (const { nextOffset, ...of } of offsets) this.offsets.set(partitionKey(of), nextOffset)
    }
    return fault === undefined
      ? { kind: 'committed' }
      : { kind: 'failed', failure: fault === 'denied' ? DENIED : AWAY }
  }
}
