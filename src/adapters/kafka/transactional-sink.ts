/**
 * The exactly-once end of a lane: one transactional producer per input partition, so that a new owner's claim fences the
 * old one (kafkajs speaks TxnOffsetCommit v1, which carries no group generation; the producer's epoch has to do).
 *
 * kafkajs's own producer takes nine round trips a transaction, for it looks up a coordinator before every request, and
 * it cannot be used again once EndTxn fails. Here the coordinators are looked up once a claim, AddPartitionsToTxn and
 * AddOffsetsToTxn are sent while the call is in flight, and every failure means the same: close, and claim anew.
 */
import type { ClaimPartition, Clock, OutputSink, OutputRecord, PublishOutcome } from '../../ports.ts'
import { byPartition, id, type TopicPartition } from './batches.ts'
import { fetchCommitted, onSharedCluster, type ClaimClusterOptions } from './claim-cluster.ts'
import { findCoordinator } from './coordinator.ts'
import { isRefused, toFailure } from './errors.ts'
import { COORDINATOR } from './internals.ts'
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
  /** Where most outputs go: its partition of the same number joins the next transaction ahead of time. */
  readonly usualTopic: string
  readonly packing: Packing
  readonly clock: Pick<Clock, 'after' | 'epochMs'>
}

/** A transaction opened ahead of time and not used is given up after this, well before the broker would. */
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
  // Only now: nobody else can commit for this partition any more, so what is read here is final.
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
  /** Partitions taking part in the transaction that is open or being opened; null while none is. */
  #participants: Set<string> | null = null
  #opening: Promise<void> = Promise.resolve()
  #cancelExpiry: (() => void) | null = null
  /** It opens its own transaction: one that is opened beside it would be given up in the middle of a later one. */
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
    // Whoever publishes next awaits it and learns of its failure; until then nobody may be told.
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

  /** Readers do not have to wait for the next claim, and what was refused is known not to be committed. */
  async #aborted(): Promise<boolean> {
    try {
      await this.#end({ commit: false })
      return true
    } catch {
      return false
    }
  }

  /** Nothing came of the calls for long: the broker would abort the transaction and fence us with it. */
  #abandon(): void {
    this.#opening = this.#opening.then(() => this.#end({ commit: false }))
    this.#opening.catch(() => undefined)
  }

  /** Sees to it that a transaction is open and all these partitions take part. */
  async #join(records: ReadonlyMap<string, readonly OutputRecord[]>): Promise<void> {
    await this.#opening
    const first = [...records.values()].flatMap(([one]) => one ?? [])
    if (this.#participants === null) await this.#open(first)
    else await this.#addPartitions(first.filter((one) => this.#participants?.has(id(one)) !== true))
  }

  /** A refusal waits for the others: what arrived behind the abort would be in no transaction, or in the next one. */
  async #send(records: ReadonlyMap<string, readonly OutputRecord[]>, nextOffset: bigint): Promise<void> {
    const sent = [
      ...[...records.values()].map((all) => this.#claimed.producer.produce(all)),
      this.#commitOffset(nextOffset),
    ]
    try {
      await Promise.all(sent)
    } catch (error) {
      if (!isRefused(error)) throw error
      const ended = await Promise.allSettled(sent)
      const errors = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
      throw errors.find((other) => !isRefused(other)) ?? error
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
