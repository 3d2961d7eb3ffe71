/**
 * Partition i of every topic goes to the same member: whoever works an input partition works its retry partitions too. In
 * partition order round the members, so that their numbers of partitions differ by one at most. Where the quota is shared by
 * partitions, only to as many members as there are permits, so that no partition sits with a member that may not call.
 *
 * All members must split the quota alike, also while a topic grows or replicas are configured differently: each tells the
 * leader its limit, and the leader tells each what it went by, the smallest. The words go along as `userData`.
 */
import kafkajs from 'kafkajs'
import { z } from 'zod'
import { partitionsAt, memberCount, assignMembers, type QuotaPlan } from '../../core/quota-shares.ts'
import type { MemberAssignment as Assigned, Protocol } from './group-member.ts'
import type { JoinAnswer } from './internals.ts'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol
const NAME = 'CheckresultCoPartition'
const VERSION = 0

/** What a member says when it joins. `place` is its member index of before, so that it may keep that. */
const MemberUserData = z.object({ permits: z.int().min(1).nullable(), place: z.int().min(0).nullable() })
/** What the leader says to a member. `place` is the member's index, null for a hot standby. */
const LeaderUserData = z.object({
  partitions: z.int().min(0),
  permits: z.int().min(1).nullable(),
  place: z.int().min(0).nullable(),
  /** What the leader's replicas read: one that reads something else has another program's group. */
  inputTopic: z.string().optional(),
})
export type LeaderUserData = z.output<typeof LeaderUserData>

export interface CoPartitioningOptions {
  readonly inputTopic: string
  readonly retryTopics: readonly string[]
  /** To be shared by partitions; null where the quota is kept otherwise. */
  readonly permits: number | null
  /** Partitions of each topic that exists, as the brokers say now. */
  readonly widths: () => Promise<ReadonlyMap<string, number>>
}

export interface CoPartitioning extends Protocol {
  /** What the leader wrote for this member; nothing where it wrote nothing. */
  readonly assigned: (memberAssignment: Buffer) => OwnAssignment
}

export interface OwnAssignment {
  readonly assignment: Readonly<Record<string, readonly number[]>>
  /** Null when the leader has none for us, or none that make sense. */
  readonly plan: LeaderUserData | null
  /** The group's leader is another program, or a replica with another input topic. */
  readonly isForeign: boolean
}

export function createCoPartitioning(options: CoPartitioningOptions): CoPartitioning {
  const { inputTopic, retryTopics, permits, widths } = options
  const topics = [inputTopic, ...retryTopics]
  let place: number | null = null
  return {
    name: NAME,
    metadata: () => MemberMetadata.encode({ version: VERSION, topics, userData: encode({ permits, place }) }),
    assign: async (members) => {
      const known = await widths()
      const current = new Map(topics.map((topic) => [topic, known.get(topic) ?? 0]))
      // Others get nothing, and are told what this group reads.
      const ours = members.filter((member) => topicsOf(member).includes(inputTopic))
      const plan = { partitions: current.get(inputTopic) ?? 0, permits: minPermits(ours) }
      const assigned = assign(ours, current, { ...plan, inputTopic })
      const others = members.filter((member) => !ours.includes(member))
      return [...assigned, ...assign(others, new Map(), { ...plan, inputTopic })]
    },
    assigned: (memberAssignment) => {
      const decoded = MemberAssignment.decode(memberAssignment)
      const plan = decode(LeaderUserData, decoded?.userData ?? null)
      place = plan?.place ?? null
      const all = Object.entries(decoded?.assignment ?? {})
      const ours = all.filter(([topic]) => topics.includes(topic))
      const isForeign =
        plan === null ||
        (plan.inputTopic ?? inputTopic) !== inputTopic ||
        (all.length > 0 && ours.length === 0)
      return { assignment: Object.fromEntries(ours), plan, isForeign }
    },
  }
}

function assign(
  members: JoinAnswer['members'],
  widths: ReadonlyMap<string, number>,
  plan: QuotaPlan & { readonly inputTopic: string },
): Assigned[] {
  const count = memberCount(plan, members.length)
  const assigned = assignMembers(
    members.map((member) => ({ id: member.memberId, memberIndex: userDataOf(member)?.place ?? null })),
    count,
  )
  return members.map(({ memberId }) => {
    const at = assigned.indexOf(memberId)
    const place = at < 0 ? null : at
    const assignment = [...widths].map(([topic, of]): [string, number[]] => [
      topic,
      place === null ? [] : partitionsAt(place, { of, input: plan.partitions, count }),
    ])
    return {
      memberId,
      memberAssignment: MemberAssignment.encode({
        version: VERSION,
        assignment: Object.fromEntries(assignment),
        userData: encode({ ...plan, place } satisfies LeaderUserData),
      }),
    }
  })
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

/** An earlier version says nothing; what makes no sense counts as nothing, too. */
function decode<T>(schema: z.ZodType<T>, userData: Buffer | null): T | null {
  try {
    return schema.parse(JSON.parse(String(userData)))
  } catch {
    return null
  }
}
