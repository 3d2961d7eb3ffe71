/**
 * Splits the quota over the partitions of the input topic: whole permits each, and one more each for the first
 * partitions until the remainder is used up. So the shares always add up to the quota, however the partitions are
 * distributed. All replicas must split alike, so they use the quota plan of the group's leader ({@link QuotaPlan}).
 */

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
  return Math.min(members, partitions, permits ?? Infinity)
}

/**
 * The member at each index. Members keep their index, so an additional member moves no partitions except by raising the
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

/** The partitions of a topic that belong to a member's index. Partitions beyond the input topic's count wrap around. */
export function partitionsAt(memberIndex: number, { of, input, count }: Topic): number[] {
  return Array.from({ length: of }, (_, partition) => partition).filter(
    (partition) => (partition % input) % count === memberIndex,
  )
}

interface Topic {
  /** The partition count of this topic. */
  readonly of: number
  /** The partition count of the input topic. */
  readonly input: number
  /** How many members get partitions. */
  readonly count: number
}

function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : 1
}
