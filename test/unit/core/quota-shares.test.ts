import { describe, expect, test } from 'vitest'
import { partitionsAt, memberCount, assignMembers, shareOf } from '../../../src/core/quota-shares.ts'

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
  test('are limited by members, partitions and permits', () => {
    expect(memberCount({ partitions: 8, permits: 10 }, 3)).toBe(3)
    expect(memberCount({ partitions: 8, permits: 10 }, 12)).toBe(8)
    expect(memberCount({ partitions: 8, permits: 5 }, 12)).toBe(5)
    expect(memberCount({ partitions: 8, permits: null }, 12)).toBe(8)
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

  test('take partitions in turn, and those beyond the input topic go with the one they wrap around to', () => {
    expect(partitionsAt(1, { of: 4, input: 4, count: 2 })).toEqual([1, 3])
    expect(partitionsAt(0, { of: 7, input: 3, count: 2 })).toEqual([0, 2, 3, 5, 6])
    expect(partitionsAt(1, { of: 1, input: 3, count: 2 })).toEqual([])
  })
})
