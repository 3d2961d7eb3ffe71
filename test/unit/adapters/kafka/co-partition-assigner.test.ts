import * as fc from 'fast-check'
import kafkajs, { type Assigner, type Cluster } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { coPartitionAssigner } from '../../../../src/adapters/kafka/co-partition-assigner.ts'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

type Shares = Record<string, Record<string, number[]>>

function assignerFor(counts: Readonly<Record<string, number>>): Assigner {
  const cluster = {
    findTopicPartitionMetadata: (topic: string) =>
      Array.from({ length: counts[topic] ?? 0 }, (_, partitionId) => ({ partitionId })),
  }
  return coPartitionAssigner({ cluster: cluster as unknown as Cluster } as never)
}

async function assigned(
  counts: Readonly<Record<string, number>>,
  members: readonly string[],
): Promise<Shares> {
  const made = await assignerFor(counts).assign({
    members: members.map((memberId) => ({ memberId, memberMetadata: Buffer.alloc(0) })),
    topics: Object.keys(counts),
  })
  return Object.fromEntries(
    made.map(({ memberId, memberAssignment }) => [
      memberId,
      MemberAssignment.decode(memberAssignment)?.assignment ?? {},
    ]),
  )
}

describe('the assignment', () => {
  test('gives partition i of every topic to the same member', async () => {
    expect(await assigned({ in: 4, retry: 4 }, ['b', 'a'])).toEqual({
      a: { in: [0, 2], retry: [0, 2] },
      b: { in: [1, 3], retry: [1, 3] },
    })
  })

  test('leaves members without partitions when there are more of them', async () => {
    expect(await assigned({ in: 1 }, ['a', 'b'])).toEqual({ a: { in: [0] }, b: { in: [] } })
  })

  test('gives each partition to one member, shares that differ by one at most, and is the same for any order', async () => {
    const member = fc.string({ minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(member, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        async (members, count) => {
          const shares = await assigned({ in: count, retry: count }, members)
          const inputs = Object.values(shares).map((share) => share['in'] ?? [])
          expect(inputs.flat().sort((left, right) => left - right)).toEqual(
            Array.from({ length: count }, (_, partition) => partition),
          )
          const sizes = inputs.map(({ length }) => length)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
          for (const share of Object.values(shares)) expect(share['retry']).toEqual(share['in'])
          expect(await assigned({ in: count, retry: count }, members.toReversed())).toEqual(shares)
        },
      ),
      { numRuns: 50 },
    )
  })
})

test('a member says in its metadata which topics it reads', () => {
  const { name, metadata } = assignerFor({}).protocol({ topics: ['in', 'retry'] })
  expect(name).toBe('CheckresultCoPartition')
  expect(MemberMetadata.decode(metadata)?.topics).toEqual(['in', 'retry'])
})
