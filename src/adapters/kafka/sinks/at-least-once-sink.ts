/**
 * The at-least-once output sink of a shard, for brokers without transactions. Outputs are written first and
 * acknowledged by all in-sync replicas; the offset is committed afterwards in the background, together with those
 * of other shards ({@link OffsetCommits}). Nothing is lost, because an offset is committed only after its
 * outputs.
 *
 * If the process crashes or the partition moves before the offset is committed, the outputs are written again with
 * the same key and content. Nobody is fenced: a former owner may still be writing, which can repeat outputs too.
 */
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'
import type { ClaimShard, OutputSink, OutputRecord, PartitionOffset, PublishOutcome } from '../../../ports.ts'
import { byPartition } from './batches.ts'
import { disconnect } from '../disconnect.ts'
import {
  fetchCommitted,
  leaderOf,
  onOwnCluster,
  type ClaimClusterOptions,
  type GroupOffsets,
} from './claim-cluster.ts'
import { allWritten, isRefused, throwDeciding, toFailure } from '../errors.ts'
import type { Cluster } from '../kafkajs/internals.ts'
import type { OffsetCommits } from '../group/offset-commits.ts'
import { packed, produce, type Batch, type Packing } from './produce.ts'
import { retryRequest } from '../retry-request.ts'

export interface AtLeastOnceOptions extends ClaimClusterOptions {
  readonly commits: Pick<OffsetCommits, 'note' | 'flush'>
  readonly packing: Packing
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

export function createClaimAtLeastOnce(options: AtLeastOnceOptions): ClaimShard {
  const acknowledged: Acknowledged = new WeakSet()
  return onOwnCluster(options, async (cluster, _, partitions) => {
    const { committed } = await fetchCommitted(cluster, options, partitions)
    return new AtLeastOnceSink(options, { cluster, partitions, committed, acknowledged })
  })
}

/**
 * Outputs that the brokers have acknowledged. A lane publishes the same objects again after its next claim, so that
 * a publish that failed in part is not repeated as a whole.
 */
type Acknowledged = WeakSet<OutputRecord>

interface Claimed extends Pick<GroupOffsets, 'committed'> {
  readonly cluster: Cluster
  readonly partitions: readonly TopicPartition[]
  readonly acknowledged: Acknowledged
}

class AtLeastOnceSink implements OutputSink {
  readonly #options: AtLeastOnceOptions
  readonly #claimed: Claimed

  constructor(options: AtLeastOnceOptions, claimed: Claimed) {
    this.#options = options
    this.#claimed = claimed
  }

  committedOffset(of: TopicPartition): bigint | null {
    return this.#claimed.committed.get(partitionKey(of)) ?? null
  }

  /** Plain writes need no preparation. */
  prepare(): void {}

  async publish(
    outputs: readonly OutputRecord[],
    offsets: readonly PartitionOffset[],
  ): Promise<PublishOutcome> {
    const { acknowledged } = this.#claimed
    const missing = outputs.filter((output) => !acknowledged.has(output))
    try {
      // Waits for all, because outputs acknowledged after a failure must not be sent again either.
      await allWritten([...byPartition(missing).values()].map((records) => this.#produce(records)))
    } catch (error) {
      const failure = toFailure(error, 'writing')
      return { kind: isRefused(error) ? 'refused' : 'failed', failure }
    }
    this.#options.commits.note(offsets)
    return { kind: 'committed' }
  }

  async close(): Promise<void> {
    const { cluster, partitions } = this.#claimed
    await this.#options.commits.flush(partitions)
    await disconnect(cluster)
  }

  async #produce(records: readonly OutputRecord[]): Promise<void> {
    for (const batch of packed(records, this.#options.packing)) {
      await this.#followingTheLeader(() => this.#send(batch))
      for (const output of batch.records) this.#claimed.acknowledged.add(output)
    }
  }

  async #send(batch: Batch): Promise<void> {
    const leader = await leaderOf(this.#claimed.cluster, batch)
    const timestampMs = this.#options.clock.epochMs()
    const batches = [{ ...batch, firstSequence: 0 }]
    const errors = await produce(leader, { transaction: null, timestampMs, batches })
    throwDeciding(errors.filter((error) => error !== null))
  }

  /** Refreshes the metadata and retries while the partition moves. Any other error goes to the caller. */
  #followingTheLeader(send: () => Promise<void>): Promise<void> {
    const { clock } = this.#options
    return retryRequest(send, { ...WHILE_IT_MOVES, clock }, () => this.#claimed.cluster.refreshMetadata())
  }
}
