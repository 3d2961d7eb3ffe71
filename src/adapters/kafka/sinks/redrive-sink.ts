/**
 * The exactly-once sink of `dlq redrive`: one transactional producer per dead-letter topic, independent of the
 * group, so that a second redrive fences the first.
 */
import type { Clock, OutputRecord, RedriveSink, PublishOutcome } from '../../../ports.ts'
import { partitionsOf } from './batches.ts'
import { disconnect } from '../disconnect.ts'
import { explain, isRefused, toFailure } from '../errors.ts'
import type { Cluster } from '../kafkajs/internals.ts'
import type { Packing } from './produce.ts'
import { targetTopic } from '../admin/target-topic.ts'
import { claimProducer, isFenced, type TransactionalProducer } from './transactional-producer.ts'
import { OperatorError } from '../../../core/safe-error.ts'

export interface RedriveSinkOptions {
  readonly createCluster: () => Cluster
  readonly deadLetterTopic: string
  readonly inputTopic: string
  readonly packing: Packing
  readonly clock: Pick<Clock, 'after' | 'epochMs'>
}

/**
 * Once this resolves, no other redrive can commit any more, and everything it has committed can be read. Rejects
 * with an {@link OperatorError}.
 */
export async function claimRedriveSink(options: RedriveSinkOptions): Promise<RedriveSink> {
  const { deadLetterTopic, inputTopic } = options
  const cluster = options.createCluster()
  try {
    await cluster.connect()
    await targetTopic(cluster, deadLetterTopic, 'KAFKA_DEAD_LETTER_TOPIC')
    await targetTopic(cluster, inputTopic, 'KAFKA_INPUT_TOPIC')
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
  try {
    await producer.addPartitions(partitionsOf(outputs))
    await producer.produce(outputs)
    await producer.end({ commit: true })
    return { kind: 'committed' }
  } catch (error) {
    if (isFenced(error)) return { kind: 'fenced' }
    // An open transaction would block the service's reads until the broker's timeout.
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
