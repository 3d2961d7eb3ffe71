import * as fc from 'fast-check'
import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import {
  createCoPartitioning,
  type CoPartitioning,
} from '../../../../../src/adapters/kafka/group/co-partition-assigner.ts'
import { shareOf } from '../../../../../src/core/quota/quota-shares.ts'
import { shardOf } from '../../../../../src/core/partitions/shards.ts'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

type Counts = Readonly<Record<string, number>>
type Owned = Readonly<Record<string, readonly number[]>>

interface Member {
  readonly id: string
  readonly partitioning: CoPartitioning
}

/** `in` is the input topic. */
function member(id: string, counts: Counts, permits: number | null = null): Member {
  const retryTopics = Object.keys(counts).filter((topic) => topic !== 'in')
  const widths = () => Promise.resolve(new Map(Object.entries(counts)))
  return {
    id,
    partitioning: createCoPartitioning({ inputTopic: 'in', retryTopics, permits, widths }),
  }
}

/**
 * One generation led by the first member: each member sends its metadata and receives the leader's assignment. Members
 * that decline it are left out.
 */
async function generation(members: readonly Member[]) {
  const [leader] = members
  const joining = members.map(({ id, partitioning }) => ({
    memberId: id,
    memberMetadata: partitioning.metadata(),
  }))
  const made = (await leader?.partitioning.assign(joining)) ?? []
  const assignments = made.flatMap(({ memberId, memberAssignment }) => {
    const assigned = members.find(({ id }) => id === memberId)?.partitioning.assigned(memberAssignment)
    return assigned === undefined || assigned === null
      ? []
      : [[memberId, { owned: assigned.assignment, ...assigned }] as const]
  })
  return new Map(assignments)
}

function owned(group: Awaited<ReturnType<typeof generation>>): Record<string, Owned> {
  return Object.fromEntries([...group].map(([id, one]) => [id, one.owned]))
}

describe('the assignment', () => {
  test('gives partition i of every topic to the same member', async () => {
    const counts = { in: 4, retry: 4 }
    const group = await generation([member('b', counts), member('a', counts)])
    expect(owned(group)).toEqual({ a: { in: [0, 2], retry: [0, 2] }, b: { in: [1, 3], retry: [1, 3] } })
  })

  test('gives whole shards, also those of wider and narrower retry topics', async () => {
    const counts = { in: 3, wide: 20, narrow: 1 }
    const group = await generation([member('a', counts, 9), member('b', counts, 9)])
    expect(owned(group)).toEqual({
      a: { in: [0, 2], wide: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18], narrow: [0] },
      b: { in: [1], wide: [1, 3, 5, 7, 9, 11, 13, 15, 17, 19], narrow: [] },
    })
    const wide = { in: 18 }
    const three = await generation(['a', 'b', 'c'].map((id) => member(id, wide)))
    expect(owned(three)).toEqual({
      a: { in: [0, 3, 6, 9, 12, 15, 16] },
      b: { in: [1, 4, 7, 10, 13, 17] },
      c: { in: [2, 5, 8, 11, 14] },
    })
  })

  test('leaves members without partitions if there are fewer partitions, permits or shards than members', async () => {
    const narrow = { in: 1, retry: 4 }
    const few = await generation([member('a', narrow), member('b', narrow)])
    expect(owned(few)).toEqual({ a: { in: [0], retry: [0, 1, 2, 3] }, b: { in: [], retry: [] } })
    const wide = { in: 3 }
    const poor = await generation(['a', 'b', 'c'].map((id) => member(id, wide, 2)))
    expect(owned(poor)).toEqual({ a: { in: [0, 2] }, b: { in: [1] }, c: { in: [] } })
    const many = await generation(Array.from({ length: 18 }, (_, at) => member(`m${at}`, { in: 64 })))
    const working = [...many.values()].filter((one) => one.owned['in']?.length === 4)
    expect(working).toHaveLength(16)
  })

  test('does not depend on the order of the members', async () => {
    const counts = { in: 5 }
    const members = ['c', 'a', 'b'].map((id) => member(id, counts, 10))
    expect(owned(await generation(members.toReversed()))).toEqual(
      owned(await generation(['c', 'a', 'b'].map((id) => member(id, counts, 10)))),
    )
  })

  test('moves nothing when a standby joins, and uses the standby when a member leaves', async () => {
    const counts = { in: 4 }
    const [a, b, c] = [member('b', counts, 2), member('c', counts, 2), member('a', counts, 2)]
    await generation([a, b])
    const standing = owned(await generation([a, b, c]))
    expect(standing).toEqual({ b: { in: [0, 2] }, c: { in: [1, 3] }, a: { in: [] } })
    expect(owned(await generation([b, c]))).toEqual({ c: { in: [1, 3] }, a: { in: [0, 2] } })
  })
})

test('uses the lowest limit of all members and sends it to everyone', async () => {
  const counts = { in: 4 }
  const group = await generation([member('a', counts, 20), member('b', counts, 7)])
  expect([...group.values()].map(({ plan }) => plan)).toEqual([
    { partitions: 4, permits: 7, memberIndex: 0, inputTopic: 'in', widths: { in: 4 } },
    { partitions: 4, permits: 7, memberIndex: 1, inputTopic: 'in', widths: { in: 4 } },
  ])
})

test('recognizes a plan that is invalid or missing as that of another program', () => {
  const { partitioning } = member('a', { in: 1 })
  for (const text of [
    '',
    '{',
    '{"partitions":4}',
    '{"partitions":-1,"permits":5,"memberIndex":0,"inputTopic":"in"}',
  ]) {
    const bytes = MemberAssignment.encode({
      version: 0,
      assignment: { in: [0] },
      userData: Buffer.from(text),
    })
    expect(partitioning.assigned(bytes)).toBeNull()
  }
  expect(partitioning.assigned(Buffer.alloc(0))).toBeNull()
})

test('gives partitions to a member that sends no valid limit', async () => {
  const counts = { in: 2 }
  const { partitioning } = member('b', counts, 10)
  const silent = MemberMetadata.encode({ version: 0, topics: ['in'], userData: Buffer.alloc(0) })
  const made = await partitioning.assign([
    { memberId: 'a', memberMetadata: silent },
    { memberId: 'b', memberMetadata: partitioning.metadata() },
  ])
  expect(made.map((one) => MemberAssignment.decode(one.memberAssignment)?.assignment)).toEqual([
    { in: [0] },
    { in: [1] },
  ])
})

test('gives each partition one owner with a permit, with shares that sum up to the limit, for any changes of membership', async () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 9 })
  const width = fc.integer({ min: 1, max: 40 })
  await fc.assert(
    fc.asyncProperty(
      fc.record({ all: ids, permits: fc.integer({ min: 1, max: 40 }), input: width, retry: width }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      async ({ all, permits, input, retry }, choices) => {
        const counts = { in: input, retry }
        const members = all.map((id) => member(id, counts, permits))
        for (const choice of choices) {
          const present = members.filter(
            (_, at) => at === choice % members.length || (choice >> at) % 2 === 0,
          )
          const group = [...(await generation(present)).values()]
          for (const topic of ['in', 'retry'] as const) {
            const partitions = group.flatMap((one) => one.owned[topic] ?? [])
            expect(partitions.toSorted((left, right) => left - right)).toEqual(
              Array.from({ length: counts[topic] }, (_, partition) => partition),
            )
          }
          const plan = { partitions: input, permits }
          const shares = group.map((one) => shareOf(one.owned['in'] ?? [], plan))
          expect(shares.reduce((sum, share) => sum + share, 0)).toBe(permits)
          const working = group.map((one) => Object.values(one.owned).some((some) => some.length > 0))
          expect(shares.map((share) => share > 0)).toEqual(working)
          const numbers = group
            .map((one) => new Set((one.owned['in'] ?? []).map(shardOf)).size)
            .filter((one) => one > 0)
          expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('gives nothing to a replica with another input topic, which reports that another program uses the group', async () => {
  const counts = { in: 2 }
  const other: Member = {
    id: 'a',
    partitioning: createCoPartitioning({
      inputTopic: 'elsewhere',
      retryTopics: [],
      permits: null,
      widths: () => Promise.resolve(new Map()),
    }),
  }
  const group = await generation([member('b', counts), other])
  expect([...group].map(([id, one]) => [id, one.owned])).toEqual([['b', { in: [0, 1] }]])
})

test('a leader with another input topic is recognized as another program', () => {
  const { partitioning } = member('a', { in: 1 })
  const userData = Buffer.from(
    JSON.stringify({ partitions: 4, permits: null, memberIndex: 0, inputTopic: 'elsewhere' }),
  )
  const bytes = MemberAssignment.encode({ version: 0, assignment: { elsewhere: [0] }, userData })
  expect(partitioning.assigned(bytes)).toBeNull()
})

async function assignmentOf(predecessor: Member): Promise<Buffer> {
  const memberMetadata = predecessor.partitioning.metadata()
  const [made] = await predecessor.partitioning.assign([{ memberId: predecessor.id, memberMetadata }])
  return made?.memberAssignment ?? Buffer.alloc(0)
}

describe('an assignment that was made for a predecessor', () => {
  const counts = { in: 2, retry: 2 }

  test.each([
    [true, 'the same settings', member('a', counts, 10)],
    [false, 'another limit', member('a', counts, 20)],
    [false, 'no limit', member('a', counts)],
    [false, 'one more retry topic', member('a', { ...counts, later: 2 }, 10)],
    [false, 'one retry topic less', member('a', { in: 2 }, 10)],
    [false, 'another retry topic', member('a', { in: 2, later: 2 }, 10)],
  ])('fits (%s) a member with %s', async (fitsSettings, _, { partitioning }) => {
    const made = await assignmentOf(member('a', counts, 10))
    expect(partitioning.assigned(made)).toMatchObject({ fitsSettings, plan: { widths: counts } })
  })
})
