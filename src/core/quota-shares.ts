/**
 * The quota split over the partitions of the input topic: whole permits, the rest one each to the first partitions. So any
 * way to spread the partitions over replicas sums to the whole. Who splits differently breaks that: all replicas go by what
 * the leader of their group says ({@link QuotaPlan}).
 */

/** What the shares of one generation of the group are made of. */
export interface QuotaPlan {
  /** Of the input topic. */
  readonly partitions: number
  /** To be split; null where the quota is not shared by partitions. */
  readonly permits: number | null
}

/** Permits of these partitions of the input topic together. */
export function shareOf(owned: readonly number[], { partitions, permits }: QuotaPlan): number {
  if (permits === null || partitions === 0) return 0
  const each = Math.floor(permits / partitions)
  const rest = permits % partitions
  return owned.reduce((sum, partition) => sum + each + (partition < rest ? 1 : 0), 0)
}

/** So many members get partitions, each with a permit; any further one is a hot standby. */
export function memberCount({ partitions, permits }: QuotaPlan, members: number): number {
  return Math.min(members, partitions, permits ?? Infinity)
}

/**
 * The member at each index. A member keeps its index while that exists, so that an additional member moves no partitions of
 * others except by raising the count, and a hot standby takes exactly the index of a member that has left.
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

/** The partitions of a topic for a member's index: those beyond the input topic's go with the one they would wrap round to. */
export function partitionsAt(memberIndex: number, { of, input, count }: Topic): number[] {
  return Array.from({ length: of }, (_, partition) => partition).filter(
    (partition) => (partition % input) % count === memberIndex,
  )
}

interface Topic {
  /** How many partitions this topic has. */
  readonly of: number
  /** How many the input topic has. */
  readonly input: number
  /** How many members get partitions. */
  readonly count: number
}

function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : 1
}
