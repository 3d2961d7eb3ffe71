/**
 * The exactly-once end of `dlq redrive`: one transactional producer for the dead-letter topic, whatever the group, so that
 * a second redrive fences the first.
 */
import type { Clock, OutputRecord, RedriveSink, PublishOutcome } from '../../ports.ts'
import { byPartition } from './batches.ts'
import { disconnect } from './shared-clusters.ts'
import { explain, isRefused, toFailure } from './errors.ts'
import type { Cluster } from './internals.ts'
import type { Packing } from './produce.ts'
import { claimProducer, isFenced, type TransactionalProducer } from './transactional-producer.ts'
import { OperatorError } from '../../core/safe-error.ts'

export interface RedriveSinkOptions {
  readonly createCluster: () => Cluster
  readonly deadLetterTopic: string
  readonly inputTopic: string
  readonly packing: Packing
  readonly clock: Pick<Clock, 'after' | 'epochMs'>
}

/**
 * When this resolves, no other redrive can commit any more, and all it committed can be read. Rejects with a message.
 */
export async function claimRedriveSink(options: RedriveSinkOptions): Promise<RedriveSink> {
  const { deadLetterTopic, inputTopic } = options
  const cluster = options.createCluster()
  try {
    await cluster.connect()
    await cluster.addMultipleTargetTopics([inputTopic, deadLetterTopic])
    const transactionalId = `${deadLetterTopic}-redrive`
    const producer = await claimProducer({ ...options, cluster, transactionalId })
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
    await produceAll(producer, records)
    await producer.end({ commit: true })
    return { kind: 'committed' }
  } catch (error) {
    if (isFenced(error)) return { kind: 'fenced' }
    // Left open, it would keep the service from reading on until the broker's time-out.
    const aborted = await producer.end({ commit: false }).then(
      () => true,
      () => false,
    )
    return {
      kind: aborted && isRefused(error) ? 'refused' : 'failed',
      failure: toFailure(error, 'redriving'),
    }
  }
}

/** Waits for all of them: what arrives behind the abort would be in no transaction, or in the next one. */
async function produceAll(
  producer: TransactionalProducer,
  records: readonly (readonly OutputRecord[])[],
): Promise<void> {
  const produced = await Promise.allSettled(records.map((all) => producer.produce(all)))
  const errors: unknown[] = produced.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  // What is not a refusal leaves the outcome unknown, and counts before one.
  if (errors.length > 0) throw errors.find((error) => !isRefused(error)) ?? errors[0]
}
