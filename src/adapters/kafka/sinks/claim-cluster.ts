/** The part of a claim that both delivery modes share: connections of the shard's own, and the committed offsets. */
import type { TopicPartition } from '../../../core/partitions/topic-partition.ts'
import type { ClaimShard, Clock, OutputSink } from '../../../ports.ts'
import { byTopic, committedOffsets } from '../by-topic.ts'
import { disconnect } from '../disconnect.ts'
import { findCoordinator } from '../group/coordinator.ts'
import { toFailure } from '../errors.ts'
import { COORDINATOR, type Broker, type Cluster } from '../kafkajs/internals.ts'
import type { Batch } from './produce.ts'
import { withLeanMetadata } from '../admin/topic-metadata.ts'

export interface ClaimClusterOptions {
  readonly createCluster: () => Cluster
  readonly groupId: string
  /** All output topics and all topics that events come from. */
  readonly topics: readonly string[]
  /**
   * Called with each topic's current number of partitions at each claim, because topics can grow while the service
   * runs.
   */
  readonly onWidth: (topic: string, partitions: number) => void
  readonly clock: Pick<Clock, 'after' | 'epochMs'>
}

/**
 * Runs a claim on new connections with fresh metadata, which the sink closes. Each shard has its own, because a broker
 * processes the requests of one connection in order: a produce request holds up everything behind it until the replicas
 * have it.
 */
export function onOwnCluster(
  { createCluster, topics, onWidth }: ClaimClusterOptions,
  claim: (cluster: Cluster, shard: number, partitions: readonly TopicPartition[]) => Promise<OutputSink>,
): ClaimShard {
  return async (shard, partitions) => {
    const cluster = withLeanMetadata(createCluster())
    try {
      await cluster.connect()
      await cluster.addMultipleTargetTopics(topics)
      for (const topic of topics) {
        const { length } = cluster.findTopicPartitionMetadata(topic)
        if (length > 0) onWidth(topic, length)
      }
      return { kind: 'claimed', sink: await claim(cluster, shard, partitions) }
    } catch (error) {
      await disconnect(cluster)
      return { kind: 'failed', failure: toFailure(error, 'writing') }
    }
  }
}

/** The group's coordinator, and the committed offsets of these partitions by topic and partition. */
export interface GroupOffsets {
  readonly coordinatorId: number
  readonly committed: ReadonlyMap<string, bigint>
}

export async function fetchCommitted(
  cluster: Cluster,
  { groupId, clock }: ClaimClusterOptions,
  partitions: readonly TopicPartition[],
): Promise<GroupOffsets> {
  const group = { groupId, coordinatorType: COORDINATOR.group }
  const coordinator = await findCoordinator(cluster, group, clock)
  const topics = byTopic(partitions, ({ partition }) => ({ partition }))
  const { responses } = await coordinator.offsetFetch({ groupId, topics })
  return { coordinatorId: coordinator.nodeId, committed: committedOffsets(responses) }
}

/** Groups batches by the leaders of their partitions, according to the metadata. They may have moved since. */
export async function groupByLeader(
  cluster: Cluster,
  batches: readonly Batch[],
): Promise<ReadonlyMap<Broker, readonly Batch[]>> {
  const led = await Promise.all(
    batches.map(async (batch) => ({ batch, leader: await leaderOf(cluster, batch) })),
  )
  const byLeader = Map.groupBy(led, ({ leader }) => leader)
  return new Map([...byLeader].map(([leader, all]) => [leader, all.map(({ batch }) => batch)]))
}

export async function leaderOf(cluster: Cluster, { topic, partition }: TopicPartition): Promise<Broker> {
  // The topic may have grown since this claim started.
  if (!isKnown(cluster, { topic, partition })) await cluster.refreshMetadata()
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
  return cluster.findBroker({ nodeId: Number(nodeId) })
}

/** Whether the metadata has this partition. Their numbers have no gaps. */
export function isKnown(cluster: Cluster, { topic, partition }: TopicPartition): boolean {
  return partition < cluster.findTopicPartitionMetadata(topic).length
}
