/**
 * Splits the quota over the partitions of the input topic: whole permits each, and one more each for the first
 * partitions until the remainder is used up. So the shares always add up to the quota, however the partitions are
 * distributed. All replicas must split alike, so they use the quota plan of the group's leader ({@link QuotaPlan}).
 *
 * Whole shards are assigned, round-robin over the members that get any. The member at index m owns shard m, and so
 * partition m of the input topic, which has a permit.
 */
import { SHARDS, shardOf } from '../partitions/shards.ts'

/** The basis of the shares in one generation of the group. */
export interface QuotaPlan {
  /** The partition count of the input topic. */
  readonly partitions: number
  /** The quota to split; null if it is not shared by partitions. */
  readonly permits: number | null
}

/** The sum of the permits of these partitions of the input topic. */
export function shareOf(owned: readonly number[], { partitions, permits }: QuotaPlan): number {
  if (permits === null || partitions === 0) return 0
  const each = Math.floor(permits / partitions)
  const rest = permits % partitions
  return owned.reduce((sum, partition) => sum + each + (partition < rest ? 1 : 0), 0)
}

/** How many members get partitions, at least one permit each. Additional members are hot standbys. */
export function memberCount({ partitions, permits }: QuotaPlan, members: number): number {
  return Math.min(members, SHARDS, partitions, permits ?? Infinity)
}

/**
 * The member at each index. Members keep their index, so an additional member moves no shards except by raising the
 * count, and a hot standby takes exactly the index of a member that has left.
 */
export function assignMembers(
  members: readonly { readonly id: string; readonly memberIndex: number | null }[],
  count: number,
): readonly string[] {
  const assigned = new Map<number, string>()
  const waiting: string[] = []
  for (const { id, memberIndex } of [...members].sort(byId)) {
    if (memberIndex !== null && memberIndex < count && !assigned.has(memberIndex))
      assigned.set(memberIndex, id)
    else waiting.push(id)
  }
  return Array.from({ length: count }, (_, memberIndex) => assigned.get(memberIndex) ?? waiting.shift() ?? '')
}

/**
 * The partitions of a topic with `width` partitions that belong to a member's index, if `count` members get partitions.
 * This is also right for a retry topic with more or fewer partitions than the input topic.
 */
export function partitionsAt(
  memberIndex: number,
  { width, count }: { width: number; count: number },
): number[] {
  return Array.from({ length: width }, (_, partition) => partition).filter(
    (partition) => shardOf(partition) % count === memberIndex,
  )
}

function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : 1
}
