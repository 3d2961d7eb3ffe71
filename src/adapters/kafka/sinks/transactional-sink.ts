/**
 * The exactly-once output sink of a shard: one transactional producer per shard, so that a new owner's claim fences the
 * old one. kafkajs supports only TxnOffsetCommit v1, which has no group generation, so the producer's epoch must fence.
 *
 * kafkajs's own producer takes nine round trips per transaction, because it looks up a coordinator before every
 * request, and it is unusable after a failed EndTxn. Here the coordinators are looked up once per claim,
 * AddPartitionsToTxn and AddOffsetsToTxn are sent while the call is in flight, and every failure but a rejected output
 * has the same consequence: close and claim again.
 */
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'
import type { ClaimShard, OutputSink, OutputRecord, PartitionOffset, PublishOutcome } from '../../../ports.ts'
import { partitionsOf } from './batches.ts'
import { disconnect } from '../disconnect.ts'
import { offsetsByTopic } from '../by-topic.ts'
import {
  fetchCommitted,
  isKnown,
  onOwnCluster,
  type ClaimClusterOptions,
  type GroupOffsets,
} from './claim-cluster.ts'
import { allWritten, isRefused, toFailure } from '../errors.ts'
import type { Cluster } from '../kafkajs/internals.ts'
import type { Packing } from './produce.ts'
import {
  claimProducer,
  isFenced,
  retryWhileBusy,
  type TransactionalProducer,
} from './transactional-producer.ts'

export interface TransactionalSinkOptions extends ClaimClusterOptions {
  readonly inputTopic: string
  /** The topic of most outputs. Its partition with the number of an input partition joins the transaction in advance. */
  readonly usualTopic: string
  readonly packing: Packing
}

/** A transaction opened in advance but not used is aborted after this time, well before the broker's timeout. */
const UNUSED_AFTER_MS = 30_000

export function createClaimTransactional(options: TransactionalSinkOptions): ClaimShard {
  const { groupId, inputTopic } = options
  return onOwnCluster(options, async (cluster, shard, partitions) => {
    const transactionalId = `${groupId}-${inputTopic}-${shard}`
    const producer = await claimProducer({ ...options, cluster, transactionalId })
    // Only now are the committed offsets final, because nobody else can commit for this shard any more.
    const offsets = await fetchCommitted(cluster, options, partitions)
    return new TransactionalSink(options, { cluster, producer, offsets })
  })
}

interface Claimed {
  readonly cluster: Cluster
  readonly producer: TransactionalProducer
  readonly offsets: GroupOffsets
}

class TransactionalSink implements OutputSink {
  readonly #options: TransactionalSinkOptions
  readonly #claimed: Claimed
  /** Partitions of the transaction that is open or being opened. Null if there is none. */
  #participants: Set<string> | null = null
  #opening: Promise<void> = Promise.resolve()
  #cancelExpiry: (() => void) | null = null
  /**
   * Publishing opens its own transaction. One opened in advance beside it would be aborted in the middle of a later
   * one.
   */
  #publishing = false

  constructor(options: TransactionalSinkOptions, claimed: Claimed) {
    this.#options = options
    this.#claimed = claimed
  }

  committedOffset(of: TopicPartition): bigint | null {
    return this.#claimed.offsets.committed.get(partitionKey(of)) ?? null
  }

  /** Partitions of later calls join when the transaction is published, all in one request. */
  prepare(partition: number): void {
    if (this.#participants !== null || this.#publishing) return
    const { usualTopic: topic, clock } = this.#options
    const usual = { topic, partition }
    this.#opening = this.#open(isKnown(this.#claimed.cluster, usual) ? [usual] : [])
    // The next publish awaits it and handles its failure. Until then it must not be an unhandled rejection.
    this.#opening.catch(() => undefined)
    this.#cancelExpiry = clock.after(UNUSED_AFTER_MS, () => this.#abandon())
  }

  async publish(
    outputs: readonly OutputRecord[],
    offsets: readonly PartitionOffset[],
  ): Promise<PublishOutcome> {
    this.#cancelExpiry?.()
    this.#cancelExpiry = null
    this.#publishing = true
    try {
      await this.#join(partitionsOf(outputs))
      await this.#send(outputs, offsets)
      await this.#end({ commit: true })
      return { kind: 'committed' }
    } catch (error) {
      if (isFenced(error)) return { kind: 'fenced' }
      const failure = toFailure(error, 'writing')
      return isRefused(error) && (await this.#aborted())
        ? { kind: 'refused', failure }
        : { kind: 'failed', failure }
    } finally {
      this.#publishing = false
    }
  }

  close(): Promise<void> {
    this.#cancelExpiry?.()
    return disconnect(this.#claimed.cluster)
  }

  /**
   * Aborts at once, so that readers need not wait for the next claim, and the rejected outputs are known not to be
   * committed.
   */
  async #aborted(): Promise<boolean> {
    try {
      await this.#end({ commit: false })
      return true
    } catch {
      return false
    }
  }

  /**
   * The calls produced no output for a long time: the broker would abort the transaction and fence this producer.
   */
  #abandon(): void {
    this.#opening = this.#opening.then(() => this.#end({ commit: false }))
    this.#opening.catch(() => undefined)
  }

  /** Ensures that a transaction is open and contains all these partitions. */
  async #join(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#opening
    if (this.#participants === null) await this.#open(partitions)
    else
      await this.#addPartitions(
        partitions.filter((one) => this.#participants?.has(partitionKey(one)) !== true),
      )
  }

  /**
   * Waits for all requests even after a rejection, because one that arrives after the abort would be in no
   * transaction or in the next one.
   */
  async #send(outputs: readonly OutputRecord[], offsets: readonly PartitionOffset[]): Promise<void> {
    await allWritten([this.#claimed.producer.produce(outputs), this.#commitOffsets(offsets)])
  }

  async #open(partitions: readonly TopicPartition[]): Promise<void> {
    this.#participants = new Set()
    await Promise.all([this.#addPartitions(partitions), this.#addOffsets()])
  }

  async #addOffsets(): Promise<void> {
    const { producer } = this.#claimed
    const { groupId } = this.#options
    const coordinator = await producer.coordinator()
    await retryWhileBusy(this.#options, () =>
      coordinator.addOffsetsToTxn({ ...producer.transaction, groupId }),
    )
  }

  async #addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    for (const one of partitions) this.#participants?.add(partitionKey(one))
    await this.#claimed.producer.addPartitions(partitions)
  }

  async #commitOffsets(offsets: readonly PartitionOffset[]): Promise<void> {
    const { cluster, producer, offsets: group } = this.#claimed
    const { groupId } = this.#options
    const groupCoordinator = await cluster.findBroker({ nodeId: group.coordinatorId })
    await retryWhileBusy(this.#options, () =>
      groupCoordinator.txnOffsetCommit({
        ...producer.transaction,
        groupId,
        topics: offsetsByTopic(offsets),
      }),
    )
  }

  async #end({ commit }: { commit: boolean }): Promise<void> {
    await this.#claimed.producer.end({ commit })
    this.#participants = null
  }
}
