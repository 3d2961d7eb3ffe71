/** Lists of partitions as requests and responses have them: grouped by topic. */
import { partitionKey, type TopicPartition } from '../../core/partitions/topic-partition.ts'
import type { PartitionOffset } from '../../ports.ts'

export function byTopic<Item extends TopicPartition, Listed>(
  items: readonly Item[],
  listed: (item: Item) => Listed,
): { topic: string; partitions: Listed[] }[] {
  return [...Map.groupBy(items, ({ topic }) => topic)].map(([topic, all]) => ({
    topic,
    partitions: all.map(listed),
  }))
}

/** As the requests that commit offsets list them. */
export function offsetsByTopic(
  offsets: readonly PartitionOffset[],
): { topic: string; partitions: { partition: number; offset: string }[] }[] {
  return byTopic(offsets, ({ partition, nextOffset }) => ({ partition, offset: String(nextOffset) }))
}

/** The answer of OffsetFetch by {@link partitionKey}, without partitions that have no committed offset. */
export function committedOffsets(
  responses: readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[],
): Map<string, bigint> {
  const offsets = responses.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => [partitionKey({ topic, partition }), BigInt(offset)] as const),
  )
  return new Map(offsets.filter(([, offset]) => offset >= 0n))
}
