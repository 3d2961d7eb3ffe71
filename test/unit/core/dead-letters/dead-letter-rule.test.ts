import { describe, expect, test } from 'vitest'
import { DeadLetterRule } from '../../../../src/core/dead-letters/dead-letter-rule.ts'

/** Number of dead letters in a row until the limit trips; nothing trips beyond `max`. */
function deadLettersUntilTrip(
  rule: DeadLetterRule,
  max: number,
  reason: 'rejected' | 'unknown-code' = 'rejected',
): number {
  for (let count = 1; count <= max; count += 1) if (rule.addDeadLetter(reason)) return count
  return Infinity
}

describe('the dead-letter limit over the last hundred records', () => {
  test('allows exactly the configured share', () => {
    expect(deadLettersUntilTrip(new DeadLetterRule(0.5), 1_000)).toBe(51)
    expect(deadLettersUntilTrip(new DeadLetterRule(0.05), 1_000)).toBe(6)
  })

  test('never trips at three in ten if half is allowed', () => {
    const rule = new DeadLetterRule(0.5)
    let tooMany = false
    for (let record = 0; record < 10_000; record += 1) {
      if (record % 10 < 3) tooMany ||= rule.addDeadLetter('undecodable')
      else rule.addResult()
    }
    expect(tooMany).toBe(false)
  })

  test('ignores older records', () => {
    const rule = new DeadLetterRule(0.5)
    expect(deadLettersUntilTrip(rule, 50)).toBe(Infinity)
    for (let record = 0; record < 100; record += 1) rule.addResult()
    expect(deadLettersUntilTrip(rule, 1_000)).toBe(51)
  })

  test('starts counting again after it trips', () => {
    const rule = new DeadLetterRule(0.5)
    expect([deadLettersUntilTrip(rule, 1_000), deadLettersUntilTrip(rule, 1_000)]).toEqual([51, 51])
  })
})

describe('dead letters with an unknown code', () => {
  test('trip the limit after twenty in a row, whatever the share', () => {
    expect(deadLettersUntilTrip(new DeadLetterRule(0.99), 1_000, 'unknown-code')).toBe(20)
  })

  test('do not trip the limit if other outcomes come between', () => {
    const rule = new DeadLetterRule(0.99)
    for (let round = 0; round < 100; round += 1) {
      expect(deadLettersUntilTrip(rule, 19, 'unknown-code')).toBe(Infinity)
      rule.addResult()
    }
  })
})
