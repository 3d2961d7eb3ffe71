/**
 * A transactional producer on kafkajs's broker objects, shared by the shards' output sinks and `dlq redrive`. The
 * coordinator is looked up once. One transaction at a time.
 * All methods reject with the broker's error. After a rejection the producer can only be closed, unless every batch
 * was either accepted or rejected by its leader and the transaction was aborted.
 */
import type { Clock, OutputRecord } from '../../../ports.ts'
import { retryRequest } from '../retry-request.ts'
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'
import { byTopic } from '../by-topic.ts'
import { byPartition } from './batches.ts'
import { groupByLeader } from './claim-cluster.ts'
import { findCoordinator } from '../group/coordinator.ts'
import { allWritten, errorType, throwDeciding } from '../errors.ts'
import { COORDINATOR, type Broker, type Cluster, type Transaction } from '../kafkajs/internals.ts'
import { packed, produce, type Batch, type Packing } from './produce.ts'

export interface ProducerOptions {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly packing: Packing
  readonly clock: Pick<Clock, 'after' | 'epochMs'>
}

/** A transaction left open by a dead owner is aborted by the next claim, or by the broker after this time. */
const TRANSACTION_TIMEOUT_MS = 60_000

/** Returned right after a commit while the broker still writes its markers. These are the only retriable errors. */
const BUSY = new Set(['CONCURRENT_TRANSACTIONS', 'GROUP_LOAD_IN_PROGRESS', 'COORDINATOR_LOAD_IN_PROGRESS'])
const WHILE_BUSY = { retriable: BUSY, maxTries: 200, backOffMs: { first: 2, max: 50, factor: 1.5 } } as const

const FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])

/** Whether another producer has claimed the transactional id. */
export function isFenced(error: unknown): boolean {
  return FENCED.has(errorType(error))
}

/** Fences the former owner of the transactional id, and resolves when its open transaction is aborted. */
export async function claimProducer(options: ProducerOptions): Promise<TransactionalProducer> {
  const { cluster, transactionalId } = options
  const of = { groupId: transactionalId, coordinatorType: COORDINATOR.transaction }
  const coordinator = await findCoordinator(cluster, of, options.clock)
  const { producerId, producerEpoch } = await retryWhileBusy(options, () =>
    coordinator.initProducerId({ transactionalId, transactionTimeout: TRANSACTION_TIMEOUT_MS }),
  )
  return new TransactionalProducer(options, {
    coordinatorId: coordinator.nodeId,
    transaction: { transactionalId, producerId, producerEpoch },
  })
}

interface Claimed {
  readonly coordinatorId: number
  readonly transaction: Transaction
}

export class TransactionalProducer {
  readonly transaction: Transaction
  readonly #options: ProducerOptions
  readonly #coordinatorId: number
  readonly #sequences = new Map<string, number>()

  constructor(options: ProducerOptions, { coordinatorId, transaction }: Claimed) {
    this.#options = options
    this.#coordinatorId = coordinatorId
    this.transaction = transaction
  }

  /** The first partitions that are added begin the transaction. */
  async addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    const topics = byTopic(partitions, ({ partition }) => partition)
    const coordinator = await this.coordinator()
    await retryWhileBusy(this.#options, () => coordinator.addPartitionsToTxn({ ...this.transaction, topics }))
  }

  /**
   * Writes all records, with one request per leader at a time. Waits for all requests, because one that arrives after an
   * abort would be in no transaction or in the next one.
   */
  async produce(records: readonly OutputRecord[]): Promise<void> {
    const queues = [...byPartition(records).values()].map((all) => packed(all, this.#options.packing))
    for (let at = 0; ; at += 1) {
      const batches = queues.flatMap((queue) => queue[at] ?? [])
      if (batches.length === 0) return
      const byLeader = await groupByLeader(this.#options.cluster, batches)
      await allWritten([...byLeader].map(([leader, some]) => this.#send(leader, some)))
    }
  }

  async #send(leader: Broker, batches: readonly Batch[]): Promise<void> {
    const sequenced = batches.map((batch) => ({
      ...batch,
      firstSequence: this.#sequences.get(partitionKey(batch)) ?? 0,
    }))
    const { transaction } = this
    const timestampMs = this.#options.clock.epochMs()
    const errors = await produce(leader, { transaction, timestampMs, batches: sequenced })
    for (const [index, batch] of sequenced.entries()) {
      // A rejected batch is not in the log, so the next one takes its sequence numbers.
      if (errors[index] === null)
        this.#sequences.set(partitionKey(batch), nextSequence(batch.firstSequence, batch.records.length))
    }
    throwDeciding(errors.filter((error) => error !== null))
  }

  async end({ commit }: { commit: boolean }): Promise<void> {
    const coordinator = await this.coordinator()
    await coordinator.endTxn({ ...this.transaction, transactionResult: commit })
  }

  coordinator(): Promise<Broker> {
    return this.#options.cluster.findBroker({ nodeId: this.#coordinatorId })
  }
}

/** Sequence numbers begin again at 0 after the largest 32-bit integer. */
export function nextSequence(first: number, records: number): number {
  return (first + records) % 2 ** 31
}

/** Retries while the broker is busy with the previous transaction; rejects at once with any other error. */
export function retryWhileBusy<T>(
  { clock }: Pick<ProducerOptions, 'clock'>,
  request: () => Promise<T>,
): Promise<T> {
  return retryRequest(request, { ...WHILE_BUSY, clock })
}
