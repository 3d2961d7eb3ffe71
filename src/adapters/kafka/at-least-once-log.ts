/**
 * The at-least-once end of a lane, for brokers without transactions: outputs first, acknowledged by all in-sync replicas,
 * then the offset, in the background and together with those of other partitions ({@link OffsetCommits}).
 *
 * An offset is only ever committed behind its outputs, so nothing is lost. Outputs whose offset is not committed yet when
 * the process dies or the partition moves come out again, with the same key and content. Nobody is fenced: a former owner
 * may still be writing, which is one more repeat.
 */
import type { ClaimPartition, Clock, OutputLog, OutputRecord, PublishOutcome } from '../../ports.ts'
import { askAgain } from './ask-again.ts'
import { batches, byPartition, toMessage, type TopicPartition } from './batches.ts'
import {
  disconnect,
  fetchCommitted,
  leaderOf,
  onOwnCluster,
  type ClaimClusterOptions,
} from './claim-cluster.ts'
import { explain } from './errors.ts'
import { COORDINATOR, type Cluster } from './internals.ts'
import type { OffsetCommits } from './offset-commits.ts'

export interface AtLeastOnceOptions extends ClaimClusterOptions {
  readonly groupId: string
  readonly commits: Pick<OffsetCommits, 'note' | 'settled'>
  readonly clock: Pick<Clock, 'after'>
}

const PRODUCE_TIMEOUT_MS = 30_000

/** The partition is led by another broker than the metadata says, or by none for a moment. */
const MOVED = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'KafkaJSBrokerNotFound',
])
/** An election takes about a second; what takes longer is the lane's to try again. */
const WHILE_IT_MOVES = {
  notNow: MOVED,
  mostTries: 8,
  backOffMs: { first: 20, most: 500, factor: 2 },
} as const

export function createClaimAtLeastOnce(options: AtLeastOnceOptions): ClaimPartition {
  return onOwnCluster(options, async (cluster, of) => {
    const { groupId } = options
    const coordinator = await cluster.findGroupCoordinator({ groupId, coordinatorType: COORDINATOR.group })
    const committedOffset = await fetchCommitted(coordinator, { groupId, ...of })
    return new AtLeastOnceLog(options, { cluster, of, committedOffset })
  })
}

interface Claimed {
  readonly cluster: Cluster
  readonly of: TopicPartition
  readonly committedOffset: bigint | null
}

class AtLeastOnceLog implements OutputLog {
  readonly committedOffset: bigint | null
  readonly #options: AtLeastOnceOptions
  readonly #cluster: Cluster
  readonly #of: TopicPartition

  constructor(options: AtLeastOnceOptions, { cluster, of, committedOffset }: Claimed) {
    this.#options = options
    this.#cluster = cluster
    this.#of = of
    this.committedOffset = committedOffset
  }

  /** There is nothing to open. */
  prepare(): void {}

  async publish(outputs: readonly OutputRecord[], nextOffset: bigint): Promise<PublishOutcome> {
    try {
      await Promise.all([...byPartition(outputs).values()].map((records) => this.#produce(records)))
    } catch (error) {
      return { kind: 'failed', message: explain(error, 'writing') }
    }
    this.#options.commits.note(this.#of, nextOffset)
    return { kind: 'committed' }
  }

  async close(): Promise<void> {
    await this.#options.commits.settled(this.#of)
    await disconnect(this.#cluster)
  }

  async #produce(records: readonly OutputRecord[]): Promise<void> {
    for (const batch of batches(records)) await this.#followingTheLeader(() => this.#send(batch))
  }

  async #send(batch: readonly OutputRecord[]): Promise<void> {
    const [first] = batch
    if (first === undefined) return
    const { topic, partition } = first
    const leader = await leaderOf(this.#cluster, first)
    await leader.produce({
      acks: -1,
      timeout: PRODUCE_TIMEOUT_MS,
      topicData: [{ topic, partitions: [{ partition, firstSequence: 0, messages: batch.map(toMessage) }] }],
    })
  }

  /** Asks where the partition has gone while it moves; anything else is the caller's. */
  #followingTheLeader(send: () => Promise<void>): Promise<void> {
    const { clock } = this.#options
    return askAgain(send, { ...WHILE_IT_MOVES, clock }, () => this.#cluster.refreshMetadata())
  }
}
