/** What every claim of an input partition needs of the brokers, whatever it promises of its outputs. */
import { OperatorError } from '../../core/safe-error.ts'
import type { ClaimPartition, OutputLog } from '../../ports.ts'
import type { TopicPartition } from './batches.ts'
import { explain } from './errors.ts'
import type { Broker, Cluster } from './internals.ts'

export interface ClaimClusterOptions {
  readonly createCluster: () => Cluster
  /** Every topic an output may go to, and every topic events come from. */
  readonly topics: readonly string[]
  /** Told with each claim how wide each of them is by now: topics grow while the service runs. */
  readonly onWidth: (topic: string, partitions: number) => void
}

/**
 * A connection of its own for each claim: a broker works off the requests of one connection in turn, so what one
 * partition waits for (all replicas, say) would hold up the others.
 */
export function onOwnCluster(
  { createCluster, topics, onWidth }: ClaimClusterOptions,
  claim: (cluster: Cluster, of: TopicPartition) => Promise<OutputLog>,
): ClaimPartition {
  return async (topic, partition) => {
    const cluster = createCluster()
    try {
      await cluster.connect()
      await cluster.addMultipleTargetTopics(topics)
      for (const one of topics) {
        const partitions = cluster.findTopicPartitionMetadata(one).length
        if (partitions > 0) onWidth(one, partitions)
      }
      return await claim(cluster, { topic, partition })
    } catch (error) {
      await disconnect(cluster)
      throw new OperatorError(explain(error, 'writing'))
    }
  }
}

export async function fetchCommitted(
  groupCoordinator: Broker,
  { groupId, topic, partition }: TopicPartition & { groupId: string },
): Promise<bigint | null> {
  const { responses } = await groupCoordinator.offsetFetch({
    groupId,
    topics: [{ topic, partitions: [{ partition }] }],
  })
  const offset = BigInt(responses[0]?.partitions[0]?.offset ?? '-1')
  return offset < 0n ? null : offset
}

/** As the metadata has it: it may have moved since. */
export async function leaderOf(cluster: Cluster, { topic, partition }: TopicPartition): Promise<Broker> {
  const isKnown = cluster.findTopicPartitionMetadata(topic).some((one) => one.partitionId === partition)
  // Another claim has learnt since that the topic has grown.
  if (!isKnown) await cluster.refreshMetadata()
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
  return cluster.findBroker({ nodeId: Number(nodeId) })
}

/** Never rejects. */
export async function disconnect(cluster: Cluster): Promise<void> {
  try {
    await cluster.disconnect()
  } catch {
    // The connection is gone, which is what was wanted.
  }
}
