/**
 * The at-least-once output sink of a lane, for brokers without transactions. Outputs are written first and
 * acknowledged by all in-sync replicas; the offset is committed afterwards in the background, together with those
 * of other partitions ({@link OffsetCommits}). Nothing is lost, because an offset is committed only after its
 * outputs.
 *
 * If the process crashes or the partition moves before the offset is committed, the outputs are written again with
 * the same key and content. Nobody is fenced: a former owner may still be writing, which can repeat outputs too.
 */
import type { ClaimPartition, Clock, OutputSink, OutputRecord, PublishOutcome } from '../../ports.ts'
import { retryRequest } from './retry-request.ts'
import { byPartition, type TopicPartition } from './batches.ts'
import { fetchCommitted, leaderOf, onSharedCluster, type ClaimClusterOptions } from './claim-cluster.ts'
import { findCoordinator } from './coordinator.ts'
import { allWritten, isRefused, toFailure } from './errors.ts'
import { COORDINATOR } from './kafkajs/internals.ts'
import type { OffsetCommits } from './offset-commits.ts'
import { packed, produce, type Batch, type Packing } from './produce.ts'
import type { AcquiredCluster } from './shared-clusters.ts'

export interface AtLeastOnceOptions extends ClaimClusterOptions {
  readonly groupId: string
  readonly commits: Pick<OffsetCommits, 'note' | 'flush'>
  readonly packing: Packing
  readonly clock: Pick<Clock, 'after' | 'epochMs'>
}

/** The partition has another leader than the metadata says, or none for a moment. */
const MOVED = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'KafkaJSBrokerNotFound',
])
/** An election takes about a second. If it takes longer, the lane retries. */
const WHILE_IT_MOVES = {
  retriable: MOVED,
  maxTries: 8,
  backOffMs: { first: 20, max: 500, factor: 2 },
} as const

export function createClaimAtLeastOnce(options: AtLeastOnceOptions): ClaimPartition {
  const acknowledged: Acknowledged = new WeakSet()
  return onSharedCluster(options, async (acquired, of) => {
    const { groupId } = options
    const { cluster } = acquired
    const group = { groupId, coordinatorType: COORDINATOR.group }
    const coordinator = await findCoordinator(cluster, group, options.clock)
    const committedOffset = await fetchCommitted(coordinator, { groupId, ...of })
    return new AtLeastOnceSink(options, { acquired, of, committedOffset, acknowledged })
  })
}

/**
 * Outputs that the brokers have acknowledged. A lane publishes the same objects again after its next claim, so that
 * a publish that failed in part is not repeated as a whole.
 */
type Acknowledged = WeakSet<OutputRecord>

interface Claimed {
  readonly acquired: AcquiredCluster
  readonly of: TopicPartition
  readonly acknowledged: Acknowledged
  readonly committedOffset: bigint | null
}

class AtLeastOnceSink implements OutputSink {
  readonly committedOffset: bigint | null
  readonly #options: AtLeastOnceOptions
  readonly #claimed: Claimed
  #failed = false

  constructor(options: AtLeastOnceOptions, claimed: Claimed) {
    this.#options = options
    this.#claimed = claimed
    this.committedOffset = claimed.committedOffset
  }

  /** Plain writes need no preparation. */
  prepare(): void {}

  async publish(outputs: readonly OutputRecord[], nextOffset: bigint): Promise<PublishOutcome> {
    const { of, acknowledged } = this.#claimed
    const missing = outputs.filter((output) => !acknowledged.has(output))
    try {
      // Waits for all, because outputs acknowledged after a failure must not be sent again either.
      await allWritten([...byPartition(missing).values()].map((records) => this.#produce(records)))
    } catch (error) {
      return this.#notPublished(error)
    }
    this.#options.commits.note(of, nextOffset)
    return { kind: 'committed' }
  }

  async close(): Promise<void> {
    const { of, acquired } = this.#claimed
    await this.#options.commits.flush(of)
    await acquired.release({ failed: this.#failed })
  }

  /** A permanently rejected output can be replaced only if nothing else failed. */
  #notPublished(error: unknown): PublishOutcome {
    const failure = toFailure(error, 'writing')
    if (isRefused(error)) return { kind: 'refused', failure }
    this.#failed = true
    return { kind: 'failed', failure }
  }

  async #produce(records: readonly OutputRecord[]): Promise<void> {
    for (const batch of packed(records, this.#options.packing)) {
      await this.#followingTheLeader(() => this.#send(batch))
      for (const output of batch.records) this.#claimed.acknowledged.add(output)
    }
  }

  async #send(batch: Batch): Promise<void> {
    const [first] = batch.records
    if (first === undefined) return
    const leader = await leaderOf(this.#claimed.acquired.cluster, first)
    await produce(leader, batch, { transaction: null, timestampMs: this.#options.clock.epochMs() })
  }

  /** Refreshes the metadata and retries while the partition moves. Any other error goes to the caller. */
  #followingTheLeader(send: () => Promise<void>): Promise<void> {
    const { clock } = this.#options
    return retryRequest(send, { ...WHILE_IT_MOVES, clock }, () =>
      this.#claimed.acquired.cluster.refreshMetadata(),
    )
  }
}
