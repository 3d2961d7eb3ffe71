import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Evidence, RefusedRecord } from '../../../../src/core/calls/refusals.ts'

/** Evidence after calls that were answered at these times. */
function servedAt(...times: readonly number[]): Evidence {
  const evidence = new Evidence()
  for (const time of times) evidence.answeredCall(time)
  return evidence
}

describe('blame for a blocked record', () => {
  test('is on the account while no call was answered', () => {
    expect(new Evidence().blocked(new RefusedRecord(), 0)).toBe('account')
  })

  test('is undecided while no call was answered since its last rejection', () => {
    const evidence = servedAt(0)
    const record = new RefusedRecord()
    expect([1, 2, 3].map((nowMs) => evidence.blocked(record, nowMs))).toEqual(Array(3).fill('undecided'))
  })

  test('is not changed by an answer to a call that was in flight when the record was rejected', () => {
    const evidence = servedAt(0)
    const record = new RefusedRecord()
    evidence.blocked(record, 100)
    evidence.answeredCall(90)
    expect(evidence.blocked(record, 200)).toBe('undecided')
    evidence.answeredCall(210)
    expect(evidence.blocked(record, 300)).toBe('record')
  })

  test('is on each of several rejected records after a single answer', () => {
    const evidence = servedAt(0)
    const records = Array.from({ length: 10 }, () => new RefusedRecord())
    for (const record of records) expect(evidence.blocked(record, 10)).toBe('undecided')
    evidence.answeredCall(20)
    for (const record of records) expect(evidence.blocked(record, 30)).toBe('record')
  })

  test('is on the record although three in ten are rejected, and other records do not wait', () => {
    const evidence = servedAt(0)
    const own = Array.from({ length: 30 }, () => new RefusedRecord())
    const blames = new Map<string, number>()
    for (let round = 1; round <= 10; round += 1) {
      for (const [at, record] of own.entries()) {
        const nowMs = round * 1_000 + at * 10
        const blame = evidence.blocked(record, nowMs)
        blames.set(blame, (blames.get(blame) ?? 0) + 1)
        evidence.answeredCall(nowMs + 5)
        evidence.answeredCall(nowMs + 6)
      }
    }
    expect(blames).toEqual(
      new Map([
        ['undecided', 30],
        ['record', 270],
      ]),
    )
  })
})

describe('blame for a throttled record', () => {
  test('is on the account while no call was answered or if another record is throttled, too', () => {
    expect(new Evidence().throttled(new RefusedRecord(), 0)).toBe('account')
    const evidence = servedAt(0)
    expect(evidence.throttled(new RefusedRecord(), 1)).toBe('undecided')
    expect(evidence.throttled(new RefusedRecord(), 2)).toBe('account')
  })

  test('is on the record if only a few are always throttled, even if they call more often than others are answered', () => {
    const evidence = servedAt(0)
    const own = Array.from({ length: 5 }, () => new RefusedRecord())
    const found = new Set<RefusedRecord>()
    for (let round = 1; round <= 20; round += 1) {
      const nowMs = round * 1_000
      evidence.answeredCall(nowMs)
      for (const record of own)
        if (!found.has(record) && evidence.throttled(record, nowMs + 1) === 'record') found.add(record)
    }
    expect(found.size).toBe(own.length)
  })

  test('is never on the record if most others are throttled, too', () => {
    const evidence = servedAt(0)
    const record = new RefusedRecord()
    for (let round = 1; round < 100; round += 1) {
      expect(evidence.throttled(record, round * 100)).not.toBe('record')
      evidence.throttled(new RefusedRecord(), round * 100 + 10)
      evidence.answeredCall(round * 100 + 20)
    }
  })
})

test('blame is on the account and not on the records if every record is rejected', () => {
  const refusals = fc.array(fc.tuple(fc.nat(4), fc.boolean(), fc.nat(5_000)), { minLength: 1 })
  fc.assert(
    fc.property(refusals, fc.boolean(), (steps, servedBefore) => {
      const evidence = servedBefore ? servedAt(0) : new Evidence()
      const records = Array.from({ length: 5 }, () => new RefusedRecord())
      let nowMs = 1
      for (const [at, isThrottled, passMs] of steps) {
        nowMs += passMs
        const record = records[at] ?? new RefusedRecord()
        const blame = isThrottled ? evidence.throttled(record, nowMs) : evidence.blocked(record, nowMs)
        expect(blame).not.toBe('record')
        expect(nowMs > 10_001 && !isThrottled ? blame : 'account').toBe('account')
      }
    }),
  )
})

test('blame is soon on a record that is always rejected while others are answered, and only on that one', () => {
  const kinds = fc.constantFrom('blocked' as const, 'throttled' as const)
  fc.assert(
    fc.property(
      kinds,
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 8, maxLength: 40 }),
      (kind, gaps) => {
        const evidence = servedAt(0)
        const record = new RefusedRecord()
        let nowMs = 0
        const blames = gaps.map((gapMs) => {
          nowMs += gapMs
          evidence.answeredCall(nowMs)
          nowMs += 1
          return evidence[kind](record, nowMs)
        })
        expect(blames).not.toContain('account')
        expect(blames.indexOf('record')).toBe(kind === 'blocked' ? 1 : 3)
      },
    ),
  )
})
