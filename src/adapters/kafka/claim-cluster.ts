/** The part of a claim that both delivery modes share. */
import type { ClaimPartition, OutputSink } from '../../ports.ts'
import type { TopicPartition } from './batches.ts'
import { toFailure } from './errors.ts'
import type { Broker, Cluster } from './kafkajs/internals.ts'
import { SharedClusters, type AcquiredCluster } from './shared-clusters.ts'

export interface ClaimClusterOptions {
  readonly createCluster: () => Cluster
  /** All output topics and all topics that events come from. */
  readonly topics: readonly string[]
  /**
   * Called with each topic's current number of partitions at each claim, because topics can grow while the service
   * runs.
   */
  readonly onWidth: (topic: string, partitions: number) => void
}

/** Runs claims on connections that are shared by partition number. */
export function onSharedCluster(
  { createCluster, topics, onWidth }: ClaimClusterOptions,
  claim: (acquired: AcquiredCluster, of: TopicPartition) => Promise<OutputSink>,
): ClaimPartition {
  const clusters = new SharedClusters(createCluster, async (cluster) => {
    await cluster.connect()
    await cluster.addMultipleTargetTopics(topics)
  })
  return async (topic, partition) => {
    let acquired: AcquiredCluster | null = null
    try {
      acquired = await clusters.acquire(partition)
      const { cluster } = acquired
      // The topic may have grown since the metadata was loaded.
      if (!isKnown(cluster, { topic, partition })) await cluster.refreshMetadata()
      for (const one of topics) {
        const partitions = cluster.findTopicPartitionMetadata(one).length
        if (partitions > 0) onWidth(one, partitions)
      }
      return { kind: 'claimed', sink: await claim(acquired, { topic, partition }) }
    } catch (error) {
      await acquired?.release({ failed: true })
      return { kind: 'failed', failure: toFailure(error, 'writing') }
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

/** Returns the leader according to the metadata. It may have moved since. */
export async function leaderOf(cluster: Cluster, { topic, partition }: TopicPartition): Promise<Broker> {
  // The topic may have grown since this claim started.
  if (!isKnown(cluster, { topic, partition })) await cluster.refreshMetadata()
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
  return cluster.findBroker({ nodeId: Number(nodeId) })
}

function isKnown(cluster: Cluster, { topic, partition }: TopicPartition): boolean {
  return cluster.findTopicPartitionMetadata(topic).some(({ partitionId }) => partitionId === partition)
}
