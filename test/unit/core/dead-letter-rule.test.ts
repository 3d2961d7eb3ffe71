import { describe, expect, test } from 'vitest'
import { DeadLetterRule } from '../../../src/core/dead-letter-rule.ts'

/** How many dead letters in a row go through before it is too much; none beyond `most`. */
function until(rule: DeadLetterRule, max: number, reason: 'rejected' | 'unknown-code' = 'rejected'): number {
  for (let count = 1; count <= max; count += 1) if (rule.addDeadLetter(reason)) return count
  return Infinity
}

describe('of the last hundred records', () => {
  test('as many as the share may be dead letters, and one more is too many', () => {
    expect(until(new DeadLetterRule(0.5), 1_000)).toBe(51)
    expect(until(new DeadLetterRule(0.05), 1_000)).toBe(6)
  })

  test('three in ten never are, where half may be', () => {
    const rule = new DeadLetterRule(0.5)
    let tooMany = false
    for (let record = 0; record < 10_000; record += 1) {
      if (record % 10 < 3) tooMany ||= rule.addDeadLetter('undecodable')
      else rule.addResult()
    }
    expect(tooMany).toBe(false)
  })

  test('those before do not count any more', () => {
    const rule = new DeadLetterRule(0.5)
    expect(until(rule, 50)).toBe(Infinity)
    for (let record = 0; record < 100; record += 1) rule.addResult()
    expect(until(rule, 1_000)).toBe(51)
  })

  test('after too many the count begins anew', () => {
    const rule = new DeadLetterRule(0.5)
    expect([until(rule, 1_000), until(rule, 1_000)]).toEqual([51, 51])
  })
})

describe('a code nobody knows', () => {
  test('is too much twenty times in a row, whatever the share', () => {
    expect(until(new DeadLetterRule(0.99), 1_000, 'unknown-code')).toBe(20)
  })

  test('is not while others come between', () => {
    const rule = new DeadLetterRule(0.99)
    for (let round = 0; round < 100; round += 1) {
      expect(until(rule, 19, 'unknown-code')).toBe(Infinity)
      rule.addResult()
    }
  })
})
