/**
 * The exactly-once end of `dlq redrive`: one transactional producer for the whole group, so that a second redrive fences
 * the first.
 */
import type { Clock, OutputRecord, PublishOutcome, RedriveLog } from '../../ports.ts'
import { byPartition } from './batches.ts'
import { disconnect } from './shared-clusters.ts'
import { explain, toFailure } from './errors.ts'
import type { Cluster } from './internals.ts'
import { claimProducer, isFenced, type TransactionalProducer } from './transactional-producer.ts'
import { OperatorError } from '../../core/safe-error.ts'

export interface RedriveLogOptions {
  readonly createCluster: () => Cluster
  readonly groupId: string
  /** Every topic an output may go to. */
  readonly topics: readonly string[]
  readonly clock: Pick<Clock, 'after'>
}

/**
 * When this resolves, no other redrive can commit any more, and all it committed can be read. Rejects with a sentence.
 */
export async function claimRedriveLog(options: RedriveLogOptions): Promise<RedriveLog> {
  const cluster = options.createCluster()
  try {
    await cluster.connect()
    await cluster.addMultipleTargetTopics(options.topics)
    const transactionalId = `${options.groupId}-redrive`
    const producer = await claimProducer({ cluster, transactionalId, clock: options.clock })
    return {
      partitions: (topic) => cluster.findTopicPartitionMetadata(topic).length,
      publish: (outputs) => publish(producer, outputs),
      close: () => disconnect(cluster),
    }
  } catch (error) {
    await disconnect(cluster)
    throw new OperatorError(explain(error, 'redriving'))
  }
}

async function publish(
  producer: TransactionalProducer,
  outputs: readonly OutputRecord[],
): Promise<PublishOutcome> {
  const records = [...byPartition(outputs).values()]
  try {
    await producer.addPartitions(records.flatMap(([first]) => first ?? []))
    await Promise.all(records.map((all) => producer.produce(all)))
    await producer.end({ commit: true })
    return { kind: 'committed' }
  } catch (error) {
    if (isFenced(error)) return { kind: 'fenced' }
    // Left open, it would keep the service from reading on until the broker's time-out.
    await producer.end({ commit: false }).catch(() => undefined)
    return { kind: 'failed', failure: toFailure(error, 'redriving') }
  }
}
