/**
 * Partition i of every topic goes to the same member: whoever works an input partition works its retry partitions too. In
 * partition order round the members, so that their numbers of partitions differ by one at most. Where the quota is shared by
 * partitions, only to as many members as there are permits, so that no partition sits with a member that may not call.
 *
 * All members must split the quota alike, also while a topic grows or replicas are configured differently: each tells the
 * leader its limit, and the leader tells each what it went by, the smallest. The words go along as `userData`.
 */
import kafkajs, { type GroupMember, type PartitionAssigner } from 'kafkajs'
import { z } from 'zod'
import { partitionsAt, places, seat, type QuotaTerms } from '../../core/quota-shares.ts'
import type { UrgentAssigner } from './patch-fetch-request.ts'
import type { AttentiveAssigner } from './patch-membership.ts'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol
const NAME = 'CheckresultCoPartition'
const VERSION = 0

/** What a member says when it joins. `place` is the one it had, so that it may keep it. */
const MemberWords = z.object({ permits: z.int().min(1).nullable(), place: z.int().min(0).nullable() })
/** What the leader says to a member; no place for a standby. */
const LeaderWords = z.object({
  partitions: z.int().min(0),
  permits: z.int().min(1).nullable(),
  place: z.int().min(0).nullable(),
})
export type LeaderWords = z.output<typeof LeaderWords>

export interface CoPartitioningOptions {
  readonly inputTopic: string
  /** To be shared by partitions; null where the quota is kept otherwise. */
  readonly permits: number | null
  readonly stepsOut: () => void
}

export interface CoPartitioning {
  readonly assigner: PartitionAssigner
  /** The leader's words, which came with an assignment; null when it has none, or none that make sense. */
  assigned(userData: Buffer | null): LeaderWords | null
}

export function createCoPartitioning(options: CoPartitioningOptions): CoPartitioning {
  const { inputTopic, permits, stepsOut } = options
  let place: number | null = null
  const assigner: PartitionAssigner = ({ cluster }): AttentiveAssigner & UrgentAssigner => ({
    name: NAME,
    version: VERSION,
    stepsOut,
    urgentTopic: inputTopic,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: MemberMetadata.encode({ version: VERSION, topics, userData: encode({ permits, place }) }),
    }),
    // oxlint-disable-next-line require-await -- kafkajs wants a promise
    assign: async ({ members, topics }) => {
      const widths = new Map(topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length]))
      return assign(members, widths, {
        partitions: widths.get(inputTopic) ?? 0,
        permits: leastPermits(members),
      })
    },
  })
  return {
    assigner,
    assigned: (userData) => {
      const words = decode(LeaderWords, userData)
      place = words?.place ?? null
      return words
    },
  }
}

type Assignments = Awaited<ReturnType<AttentiveAssigner['assign']>>

function assign(
  members: readonly GroupMember[],
  widths: ReadonlyMap<string, number>,
  terms: QuotaTerms,
): Assignments {
  const count = places(terms, members.length)
  const seated = seat(
    members.map((member) => ({ id: member.memberId, place: wordsOf(member)?.place ?? null })),
    count,
  )
  return members.map(({ memberId }) => {
    const at = seated.indexOf(memberId)
    const place = at < 0 ? null : at
    const assignment = [...widths].map(([topic, of]): [string, number[]] => [
      topic,
      place === null ? [] : partitionsAt(place, { of, input: terms.partitions, count }),
    ])
    return {
      memberId,
      memberAssignment: MemberAssignment.encode({
        version: VERSION,
        assignment: Object.fromEntries(assignment),
        userData: encode({ ...terms, place } satisfies LeaderWords),
      }),
    }
  })
}

function leastPermits(members: readonly GroupMember[]): number | null {
  const said = members.map((member) => wordsOf(member)?.permits ?? null).filter((one) => one !== null)
  return said.length === 0 ? null : Math.min(...said)
}

function wordsOf({ memberMetadata }: GroupMember): z.output<typeof MemberWords> | null {
  return decode(MemberWords, MemberMetadata.decode(memberMetadata)?.userData ?? null)
}

function encode(words: z.output<typeof MemberWords> | LeaderWords): Buffer {
  return Buffer.from(JSON.stringify(words))
}

/** An earlier version says nothing; what makes no sense counts as nothing, too. */
function decode<T>(schema: z.ZodType<T>, userData: Buffer | null): T | null {
  try {
    return schema.parse(JSON.parse(String(userData)))
  } catch {
    return null
  }
}
