/** What every claim of an input partition needs of the brokers, whatever it promises of its outputs. */
import { OperatorError } from '../../core/safe-error.ts'
import type { ClaimPartition, OutputLog } from '../../ports.ts'
import type { TopicPartition } from './batches.ts'
import { explain } from './errors.ts'
import type { Broker, Cluster } from './internals.ts'

/**
 * A connection of its own for each claim: a broker works off the requests of one connection in turn, so what one
 * partition waits for (all replicas, say) would hold up the others.
 */
export function onOwnCluster(
  { createCluster, topics }: { createCluster: () => Cluster; topics: readonly string[] },
  claim: (cluster: Cluster, of: TopicPartition) => Promise<OutputLog>,
): ClaimPartition {
  return async (topic, partition) => {
    const cluster = createCluster()
    try {
      await cluster.connect()
      await cluster.addMultipleTargetTopics(topics)
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
export function leaderOf(cluster: Cluster, { topic, partition }: TopicPartition): Promise<Broker> {
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
