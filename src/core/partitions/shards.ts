/**
 * Partition i of the input topic and of every retry topic belongs to shard i mod 16. A shard is the unit of ownership:
 * all its partitions are assigned to one replica, so the cost of owning does not grow with the number of partitions.
 */

export const SHARDS = 16

export function shardOf(partition: number): number {
  return partition % SHARDS
}
