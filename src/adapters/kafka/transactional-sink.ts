/**
 * The exactly-once output sink of a lane: one transactional producer per input partition, so that a new owner's
 * claim fences the old one. kafkajs supports only TxnOffsetCommit v1, which has no group generation, so the
 * producer's epoch must fence.
 *
 * kafkajs's own producer takes nine round trips per transaction, because it looks up a coordinator before every
 * request, and it is unusable after a failed EndTxn. Here the coordinators are looked up once per claim,
 * AddPartitionsToTxn and AddOffsetsToTxn are sent while the call is in flight, and every failure has the same
 * consequence: close and claim again.
 */
import type { ClaimPartition, Clock, OutputSink, OutputRecord, PublishOutcome } from '../../ports.ts'
import { byPartition, id, type TopicPartition } from './batches.ts'
import { fetchCommitted, onSharedCluster, type ClaimClusterOptions } from './claim-cluster.ts'
import { findCoordinator } from './coordinator.ts'
import { allWritten, isRefused, toFailure } from './errors.ts'
import { COORDINATOR } from './kafkajs/internals.ts'
import type { Packing } from './produce.ts'
import type { AcquiredCluster } from './shared-clusters.ts'
import {
  claimProducer,
  isFenced,
  retryWhileBusy,
  type TransactionalProducer,
} from './transactional-producer.ts'

export interface TransactionalSinkOptions extends ClaimClusterOptions {
  readonly groupId: string
  /** The topic of most outputs. Its partition of the same number joins the next transaction in advance. */
  readonly usualTopic: string
  readonly packing: Packing
  readonly clock: Pick<Clock, 'after' | 'epochMs'>
}

/** A transaction opened in advance but not used is aborted after this time, well before the broker's timeout. */
const UNUSED_AFTER_MS = 30_000

export function createClaimPartition(options: TransactionalSinkOptions): ClaimPartition {
  return onSharedCluster(options, (acquired, of) => claim({ ...options, ...acquired, ...of }))
}

interface ClaimOptions extends TransactionalSinkOptions, AcquiredCluster {
  readonly topic: string
  readonly partition: number
}

async function claim(options: ClaimOptions): Promise<OutputSink> {
  const { cluster, groupId, topic, partition } = options
  const transactionalId = `${groupId}-${topic}-${partition}`
  const producer = await claimProducer({ ...options, transactionalId })
  const of = { groupId, coordinatorType: COORDINATOR.group }
  const groupCoordinator = await findCoordinator(cluster, of, options.clock)
  // Only now is the committed offset final, because nobody else can commit for this partition any more.
  const committedOffset = await fetchCommitted(groupCoordinator, { groupId, topic, partition })
  return new TransactionalSink(options, {
    producer,
    groupCoordinatorId: groupCoordinator.nodeId,
    committedOffset,
  })
}

interface Claimed {
  readonly producer: TransactionalProducer
  readonly groupCoordinatorId: number
  readonly committedOffset: bigint | null
}

class TransactionalSink implements OutputSink {
  readonly committedOffset: bigint | null
  readonly #options: ClaimOptions
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
  #failed = false

  constructor(options: ClaimOptions, claimed: Claimed) {
    this.#options = options
    this.#claimed = claimed
    this.committedOffset = claimed.committedOffset
  }

  prepare(): void {
    if (this.#participants !== null || this.#publishing) return
    const { cluster, usualTopic, partition, clock } = this.#options
    const usual = cluster.findTopicPartitionMetadata(usualTopic).some((one) => one.partitionId === partition)
    this.#opening = this.#open(usual ? [{ topic: usualTopic, partition }] : [])
    // The next publish awaits this promise and handles its failure. Until then it must not be an unhandled
    // rejection.
    this.#opening.catch(() => undefined)
    this.#cancelExpiry = clock.after(UNUSED_AFTER_MS, () => this.#abandon())
  }

  async publish(outputs: readonly OutputRecord[], nextOffset: bigint): Promise<PublishOutcome> {
    this.#cancelExpiry?.()
    this.#cancelExpiry = null
    this.#publishing = true
    const records = byPartition(outputs)
    try {
      await this.#join(records)
      await this.#send(records, nextOffset)
      await this.#end({ commit: true })
      return { kind: 'committed' }
    } catch (error) {
      if (isFenced(error)) return { kind: 'fenced' }
      const failure = toFailure(error, 'writing')
      if (isRefused(error) && (await this.#aborted())) return { kind: 'refused', failure }
      this.#failed = true
      return { kind: 'failed', failure }
    } finally {
      this.#publishing = false
    }
  }

  close(): Promise<void> {
    this.#cancelExpiry?.()
    return this.#options.release({ failed: this.#failed })
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
  async #join(records: ReadonlyMap<string, readonly OutputRecord[]>): Promise<void> {
    await this.#opening
    const first = [...records.values()].flatMap(([one]) => one ?? [])
    if (this.#participants === null) await this.#open(first)
    else await this.#addPartitions(first.filter((one) => this.#participants?.has(id(one)) !== true))
  }

  /**
   * Waits for all requests even after a rejection, because one that arrives after the abort would be in no
   * transaction or in the next one.
   */
  async #send(records: ReadonlyMap<string, readonly OutputRecord[]>, nextOffset: bigint): Promise<void> {
    const sent = [
      ...[...records.values()].map((all) => this.#claimed.producer.produce(all)),
      this.#commitOffset(nextOffset),
    ]
    try {
      await Promise.all(sent)
    } catch (error) {
      if (!isRefused(error)) throw error
      await allWritten(sent)
    }
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
    await this.#claimed.producer.addPartitions(partitions)
    for (const one of partitions) this.#participants?.add(id(one))
  }

  async #commitOffset(nextOffset: bigint): Promise<void> {
    const { groupId, topic, partition, cluster } = this.#options
    const groupCoordinator = await cluster.findBroker({ nodeId: this.#claimed.groupCoordinatorId })
    await retryWhileBusy(this.#options, () =>
      groupCoordinator.txnOffsetCommit({
        ...this.#claimed.producer.transaction,
        groupId,
        topics: [{ topic, partitions: [{ partition, offset: String(nextOffset) }] }],
      }),
    )
  }

  async #end({ commit }: { commit: boolean }): Promise<void> {
    await this.#claimed.producer.end({ commit })
    this.#participants = null
  }
}
