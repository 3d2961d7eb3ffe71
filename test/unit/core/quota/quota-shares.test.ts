import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { partitionsAt, memberCount, assignMembers, shareOf } from '../../../../src/core/quota/quota-shares.ts'
import { SHARDS, shardOf } from '../../../../src/core/partitions/shards.ts'

describe('the share of a replica', () => {
  test('consists of whole permits, with the remainder going to the first partitions', () => {
    const plan = { partitions: 4, permits: 10 }
    expect([0, 1, 2, 3].map((partition) => shareOf([partition], plan))).toEqual([3, 3, 2, 2])
    expect(shareOf([0, 1, 2, 3], plan)).toBe(10)
    expect([0, 1, 2, 3].map((partition) => shareOf([partition], { partitions: 4, permits: 2 }))).toEqual([
      1, 1, 0, 0,
    ])
  })

  test('is zero without partitions or for a missing topic', () => {
    expect(shareOf([], { partitions: 4, permits: 10 })).toBe(0)
    expect(shareOf([0], { partitions: 0, permits: 10 })).toBe(0)
  })
})

describe('members with partitions', () => {
  test('are limited by members, partitions, permits and shards', () => {
    expect(memberCount({ partitions: 8, permits: 10 }, 3)).toBe(3)
    expect(memberCount({ partitions: 8, permits: 10 }, 12)).toBe(8)
    expect(memberCount({ partitions: 8, permits: 5 }, 12)).toBe(5)
    expect(memberCount({ partitions: 8, permits: null }, 12)).toBe(8)
    expect(memberCount({ partitions: 64, permits: 50 }, 20)).toBe(16)
  })

  test('keep their index, and the first id wins if two have the same', () => {
    const members = [
      { id: 'd', memberIndex: null },
      { id: 'c', memberIndex: 1 },
      { id: 'b', memberIndex: 1 },
      { id: 'a', memberIndex: 7 },
    ]
    expect(assignMembers(members, 3)).toEqual(['a', 'b', 'c'])
    expect(assignMembers(members, 2)).toEqual(['a', 'b'])
  })

  test('take shards in turn, also those of a retry topic with more or fewer partitions', () => {
    expect(partitionsAt(1, { width: 4, count: 2 })).toEqual([1, 3])
    expect(partitionsAt(2, { width: 35, count: 6 })).toEqual([2, 8, 14, 18, 24, 30, 34])
    expect(partitionsAt(1, { width: 1, count: 2 })).toEqual([])
  })
})

/** Each combination of the number of partitions of the input topic and the number of members with partitions. */
const WIDTHS = Array.from({ length: 300 }, (_, at) => at + 1)
const UP_TO_40 = Array.from({ length: 40 }, (_, at) => at + 1)

describe('whole shards', () => {
  const COUNTS = UP_TO_40.slice(0, SHARDS)

  test('each have one owner, and each partition of any topic is assigned once', () => {
    for (const width of WIDTHS) {
      for (const count of COUNTS) {
        const owners = Array.from({ length: width }, (): number[] => [])
        for (let index = 0; index < count; index += 1)
          for (const partition of partitionsAt(index, { width, count })) owners[partition]?.push(index)
        const isShardOfOne = owners.every(
          (all, partition) => all.length === 1 && all[0] === owners[shardOf(partition)]?.[0],
        )
        expect(isShardOfOne, `${width} partitions, ${count} members`).toBe(true)
      }
    }
  })

  test('go only to members with a permit, whose shares add up to the quota', () => {
    for (const partitions of WIDTHS) {
      const owned = COUNTS.map((count) =>
        Array.from({ length: count }, (_, index) => partitionsAt(index, { width: partitions, count })),
      )
      for (const permits of UP_TO_40) {
        const plan = { partitions, permits }
        for (const count of new Set(UP_TO_40.map((members) => memberCount(plan, members)))) {
          const shares = owned[count - 1]?.map((all) => shareOf(all, plan)) ?? []
          const sum = shares.reduce((all, share) => all + share, 0)
          const isFair = shares.length === count && sum === permits && Math.min(...shares) >= 1
          expect(isFair, `${partitions} partitions, ${permits} permits, ${count} members`).toBe(true)
        }
      }
    }
  })
})

test('an added member moves no shard, except by raising the count', () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(
      ids,
      fc.string({ minLength: 4 }),
      fc.integer({ min: 1, max: 16 }),
      (present, added, count) => {
        const before = assignMembers(
          present.map((id) => ({ id, memberIndex: null })),
          Math.min(count, present.length),
        )
        const members = present.map((id) => ({
          id,
          memberIndex: before.includes(id) ? before.indexOf(id) : null,
        }))
        const after = assignMembers(
          [{ id: added, memberIndex: null }, ...members],
          Math.min(count, present.length + 1),
        )
        expect(after.slice(0, before.length)).toEqual(before)
      },
    ),
  )
})
