/**
 * The exactly-once end of a lane: one transactional producer per input partition, so that a new owner's claim fences the
 * old one (kafkajs speaks TxnOffsetCommit v1, which carries no group generation; the producer's epoch has to do).
 *
 * kafkajs's own producer takes nine round trips a transaction, for it looks up a coordinator before every request, and
 * it cannot be used again once EndTxn fails. Here the coordinators are looked up once a claim, AddPartitionsToTxn and
 * AddOffsetsToTxn are sent while the call is in flight, and every failure means the same: close, and claim anew.
 */
import type { ClaimPartition, Clock, OutputLog, OutputRecord, PublishOutcome } from '../../ports.ts'
import { batches, byPartition, id, type TopicPartition } from './batches.ts'
import { disconnect, fetchCommitted, leaderOf, onOwnCluster } from './claim-cluster.ts'
import { errorType, explain } from './errors.ts'
import { COORDINATOR, type Broker, type Cluster, type Transaction } from './internals.ts'

export interface TransactionalLogOptions {
  readonly createCluster: () => Cluster
  readonly groupId: string
  /** Every topic an output may go to. */
  readonly topics: readonly string[]
  /** Where most outputs go: its partition of the same number joins the next transaction ahead of time. */
  readonly usualTopic: string
  readonly clock: Pick<Clock, 'after'>
}

/** A transaction left open by a dead owner is aborted by the next claim, or by the broker after this. */
const TRANSACTION_TIMEOUT_MS = 60_000
const PRODUCE_TIMEOUT_MS = 30_000
/** A transaction opened ahead of time and not used is given up after this, well before the broker would. */
const UNUSED_AFTER_MS = 30_000

/** Answered right after a commit while the broker still writes its markers: the only error worth asking again for. */
const BUSY = new Set(['CONCURRENT_TRANSACTIONS', 'GROUP_LOAD_IN_PROGRESS', 'COORDINATOR_LOAD_IN_PROGRESS'])
const BUSY_BACK_OFF_MS = { first: 2, most: 50 } as const
const BUSY_MOST_TRIES = 200

const FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])

export function createClaimPartition(options: TransactionalLogOptions): ClaimPartition {
  return onOwnCluster(options, (cluster, of) => claim({ ...options, cluster, ...of }))
}

interface ClaimOptions extends TransactionalLogOptions {
  readonly cluster: Cluster
  readonly topic: string
  readonly partition: number
}

async function claim(options: ClaimOptions): Promise<OutputLog> {
  const { cluster, groupId, topic, partition } = options
  const transactionalId = `${groupId}-${topic}-${partition}`
  const coordinator = await cluster.findGroupCoordinator({
    groupId: transactionalId,
    coordinatorType: COORDINATOR.transaction,
  })
  const { producerId, producerEpoch } = await patiently(options, () =>
    coordinator.initProducerId({ transactionalId, transactionTimeout: TRANSACTION_TIMEOUT_MS }),
  )
  const groupCoordinator = await cluster.findGroupCoordinator({ groupId, coordinatorType: COORDINATOR.group })
  // Only now: nobody else can commit for this partition any more, so what is read here is final.
  const committedOffset = await fetchCommitted(groupCoordinator, { groupId, topic, partition })
  return new TransactionalLog(options, {
    coordinatorId: coordinator.nodeId,
    groupCoordinatorId: groupCoordinator.nodeId,
    committedOffset,
    transaction: { transactionalId, producerId, producerEpoch },
  })
}

interface Claimed {
  readonly coordinatorId: number
  readonly groupCoordinatorId: number
  readonly committedOffset: bigint | null
  readonly transaction: Transaction
}

class TransactionalLog implements OutputLog {
  readonly committedOffset: bigint | null
  readonly #options: ClaimOptions
  readonly #claimed: Claimed
  readonly #sequences = new Map<string, number>()
  /** Partitions taking part in the transaction that is open or being opened; null while none is. */
  #participants: Set<string> | null = null
  #opening: Promise<void> = Promise.resolve()
  #cancelExpiry: (() => void) | null = null

  constructor(options: ClaimOptions, claimed: Claimed) {
    this.#options = options
    this.#claimed = claimed
    this.committedOffset = claimed.committedOffset
  }

  prepare(): void {
    if (this.#participants !== null) return
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
    const records = byPartition(outputs)
    try {
      await this.#join(records)
      await Promise.all([
        ...[...records.values()].map((all) => this.#produce(all)),
        this.#commitOffset(nextOffset),
      ])
      await this.#end({ commit: true })
      return { kind: 'committed' }
    } catch (error) {
      return FENCED.has(errorType(error)) ? { kind: 'fenced' } : { kind: 'failed', message: explain(error) }
    }
  }

  close(): Promise<void> {
    this.#cancelExpiry?.()
    return disconnect(this.#options.cluster)
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

  async #open(partitions: readonly TopicPartition[]): Promise<void> {
    this.#participants = new Set()
    await Promise.all([this.#addPartitions(partitions), this.#addOffsets()])
  }

  async #addOffsets(): Promise<void> {
    const { transaction } = this.#claimed
    const { groupId } = this.#options
    const coordinator = await this.#coordinator()
    await patiently(this.#options, () => coordinator.addOffsetsToTxn({ ...transaction, groupId }))
  }

  async #addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const { transaction } = this.#claimed
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, all]) => ({
      topic,
      partitions: all.map(({ partition }) => partition),
    }))
    const coordinator = await this.#coordinator()
    await patiently(this.#options, () => coordinator.addPartitionsToTxn({ ...transaction, topics }))
    for (const one of partitions) this.#participants?.add(id(one))
  }

  /** One request per topic-partition and batch: nothing can fail in part. */
  async #produce(records: readonly OutputRecord[]): Promise<void> {
    for (const batch of batches(records)) {
      const [first] = batch
      if (first === undefined) return
      const { topic, partition } = first
      const firstSequence = this.#sequences.get(id(first)) ?? 0
      this.#sequences.set(id(first), firstSequence + batch.length)
      const leader = await leaderOf(this.#options.cluster, first)
      await leader.produce({
        ...this.#claimed.transaction,
        acks: -1,
        timeout: PRODUCE_TIMEOUT_MS,
        topicData: [{ topic, partitions: [{ partition, firstSequence, messages: batch }] }],
      })
    }
  }

  async #commitOffset(nextOffset: bigint): Promise<void> {
    const { groupId, topic, partition, cluster } = this.#options
    const groupCoordinator = await cluster.findBroker({ nodeId: this.#claimed.groupCoordinatorId })
    await patiently(this.#options, () =>
      groupCoordinator.txnOffsetCommit({
        ...this.#claimed.transaction,
        groupId,
        topics: [{ topic, partitions: [{ partition, offset: String(nextOffset) }] }],
      }),
    )
  }

  async #end({ commit }: { commit: boolean }): Promise<void> {
    const coordinator = await this.#coordinator()
    await coordinator.endTxn({ ...this.#claimed.transaction, transactionResult: commit })
    this.#participants = null
  }

  #coordinator(): Promise<Broker> {
    return this.#options.cluster.findBroker({ nodeId: this.#claimed.coordinatorId })
  }
}

/** Asks again while the broker is busy with the transaction before; anything else is the caller's. */
async function patiently<T>({ clock }: TransactionalLogOptions, request: () => Promise<T>): Promise<T> {
  let delayMs: number = BUSY_BACK_OFF_MS.first
  for (let tries = 1; ; tries += 1) {
    try {
      return await request()
    } catch (error) {
      if (!BUSY.has(errorType(error)) || tries === BUSY_MOST_TRIES) throw error
    }
    const pauseMs = delayMs
    await new Promise<void>((resolve) => void clock.after(pauseMs, resolve))
    delayMs = Math.min(delayMs * 1.5, BUSY_BACK_OFF_MS.most)
  }
}
