/**
 * Assigns whole shards, so the owner of an input partition also owns its retry partitions. Members get shards
 * round-robin, so their counts differ by at most one. If the quota is shared by partitions, at most as many members get
 * shards as there are permits, so that no partition belongs to a member that must not call.
 *
 * All members must split the quota in the same way, even while a topic grows or replicas have different settings.
 * Each member tells the leader its limit, and the leader sends the smallest one to all members as part of the quota
 * plan. Both travel as `userData`.
 */
import kafkajs from 'kafkajs'
import { z } from 'zod'
import { partitionsAt, memberCount, assignMembers } from '../../../core/quota/quota-shares.ts'
import type { MemberAssignment as Assigned, Protocol } from './group-member.ts'
import type { JoinAnswer } from './group-requests.ts'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol
/** Names the transactional ids, too: replicas that fence each other by other ids must not join the same group. */
const NAME = 'CheckresultShards'
const VERSION = 0

const Index = z.int().min(0).nullable()
/** Sent by each member when it joins. `memberIndex` is its previous index, which it keeps if possible. */
const MemberUserData = z.object({ permits: z.int().min(1).nullable(), memberIndex: Index })
/** Sent by the leader to each member. A hot standby has no index. */
const LeaderUserData = z.object({
  partitions: z.int().min(0),
  permits: z.int().min(1).nullable(),
  memberIndex: Index,
  /** The leader's input topic. A member with another one is in another program's group. */
  inputTopic: z.string(),
  /** The partition counts on which the assignment is based, by topic. */
  widths: z.record(z.string(), z.int().min(0)),
})
type LeaderUserData = z.output<typeof LeaderUserData>

export interface CoPartitioningOptions {
  readonly inputTopic: string
  readonly retryTopics: readonly string[]
  /** Permits to be shared by partitions. Null in other quota modes. */
  readonly permits: number | null
  /** Current number of partitions of each existing topic. */
  readonly widths: () => Promise<ReadonlyMap<string, number>>
}

export interface CoPartitioning extends Protocol {
  /** Decodes the leader's assignment. Null if the leader is another program, or a replica with another input topic. */
  readonly assigned: (memberAssignment: Buffer) => OwnAssignment | null
}

export interface OwnAssignment {
  readonly assignment: Readonly<Record<string, readonly number[]>>
  readonly plan: LeaderUserData
  /** The assignment is the one to which this member's own topics and limit lead. */
  readonly fitsSettings: boolean
}

export function createCoPartitioning(options: CoPartitioningOptions): CoPartitioning {
  const { inputTopic, retryTopics, permits, widths } = options
  const topics = [inputTopic, ...retryTopics]
  let memberIndex: number | null = null
  return {
    name: NAME,
    metadata: () =>
      MemberMetadata.encode({ version: VERSION, topics, userData: encode({ permits, memberIndex }) }),
    assign: async (members) => {
      const known = await widths()
      const current = new Map(topics.map((topic) => [topic, known.get(topic) ?? 0]))
      // Other members get no partitions, but learn the input topic of this group.
      const ours = members.filter((member) => topicsOf(member).includes(inputTopic))
      const plan = {
        partitions: current.get(inputTopic) ?? 0,
        permits: minPermits(ours),
        inputTopic,
        widths: Object.fromEntries(current),
      }
      const others = members.filter((member) => !ours.includes(member))
      return [...assign(ours, current, plan), ...assign(others, new Map(), plan)]
    },
    assigned: (memberAssignment) => {
      const decoded = MemberAssignment.decode(memberAssignment)
      const plan = decode(LeaderUserData, decoded?.userData ?? null)
      memberIndex = plan?.memberIndex ?? null
      if (plan?.inputTopic !== inputTopic) return null
      const ours = Object.entries(decoded?.assignment ?? {}).filter(([topic]) => topics.includes(topic))
      const fitsSettings =
        plan.permits === permits && isSame(new Set(topics), new Set(Object.keys(plan.widths)))
      return { assignment: Object.fromEntries(ours), plan, fitsSettings }
    },
  }
}

function assign(
  members: JoinAnswer['members'],
  widths: ReadonlyMap<string, number>,
  plan: Omit<LeaderUserData, 'memberIndex'>,
): Assigned[] {
  const count = memberCount(plan, members.length)
  const assigned = assignMembers(
    members.map((member) => ({ id: member.memberId, memberIndex: userDataOf(member)?.memberIndex ?? null })),
    count,
  )
  return members.map(({ memberId }) => {
    const at = assigned.indexOf(memberId)
    const memberIndex = at < 0 ? null : at
    const assignment = [...widths].map(
      ([topic, width]) => [topic, partitionsAt(at, { width, count })] as const,
    )
    return {
      memberId,
      memberAssignment: MemberAssignment.encode({
        version: VERSION,
        assignment: Object.fromEntries(assignment),
        userData: encode({ ...plan, memberIndex } satisfies LeaderUserData),
      }),
    }
  })
}

function isSame(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && left.isSubsetOf(right)
}

function minPermits(members: JoinAnswer['members']): number | null {
  const said = members.map((member) => userDataOf(member)?.permits ?? null).filter((one) => one !== null)
  return said.length === 0 ? null : Math.min(...said)
}

function userDataOf({
  memberMetadata,
}: JoinAnswer['members'][number]): z.output<typeof MemberUserData> | null {
  return decode(MemberUserData, MemberMetadata.decode(memberMetadata)?.userData ?? null)
}

function topicsOf({ memberMetadata }: JoinAnswer['members'][number]): readonly string[] {
  return MemberMetadata.decode(memberMetadata)?.topics ?? []
}

function encode(userData: z.output<typeof MemberUserData> | LeaderUserData): Buffer {
  return Buffer.from(JSON.stringify(userData))
}

/** Null for invalid data, as from another program. */
function decode<T>(schema: z.ZodType<T>, userData: Buffer | null): T | null {
  try {
    return schema.parse(JSON.parse(String(userData)))
  } catch {
    return null
  }
}
