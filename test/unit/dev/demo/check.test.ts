import { describe, expect, test } from 'vitest'
import { checkOutputs, checkQuota, matchOutputs } from '../../../../dev/demo/check.ts'
import type { Outcome } from '../../../../dev/demo/outcome.ts'
import type { Output } from '../../../../dev/demo/read-back.ts'
import type { SentEvent } from '../../../../dev/demo/send.ts'

const TOPIC = 'input'
const PASSED: Outcome = { kind: 'result', verdict: 'PASSED', risky: false, family: 'PASSPORT' }
const REJECTED: Outcome = { kind: 'dead-letter', reason: 'rejected' }

function sentAt(offset: bigint, expected = PASSED): SentEvent {
  return {
    number: 1,
    content: { kind: 'bytes', value: null },
    expected,
    defers: false,
    key: `event${offset}`,
    value: Buffer.from('sent'),
    sentAtMs: 0,
    inRush: false,
    partition: 2,
    offset,
  }
}

function outputOf(offset: bigint, outcome = PASSED, value: Buffer | null = Buffer.from('sent')): Output {
  return { outcome, source: { topic: TOPIC, partition: 2, offset }, timestampMs: 5, value, result: null }
}

function errorsOf(sent: readonly SentEvent[], outputs: readonly Output[]): string[] {
  return checkOutputs(matchOutputs(TOPIC, sent, outputs)).flatMap(({ errors }) => errors)
}

describe('the check of demo outputs', () => {
  test('finds no error if each event has one expected output', () => {
    const sent = [sentAt(0n), sentAt(3n, REJECTED)]
    expect(errorsOf(sent, [outputOf(3n, REJECTED), outputOf(0n)])).toEqual([])
  })

  test('reports a missing event and a duplicate', () => {
    const errors = errorsOf([sentAt(0n), sentAt(1n)], [outputOf(1n), outputOf(1n)])
    expect(errors).toEqual(['event0 has 0 outputs instead of one.', 'event1 has 2 outputs instead of one.'])
  })

  test('reports an output for an event that was not sent', () => {
    expect(errorsOf([sentAt(0n)], [outputOf(0n), outputOf(7n)])).toEqual([
      'There is an output (PASSED, not risky, PASSPORT) for input[2]@7, but no event was sent there.',
    ])
  })

  test.each<[string, Outcome]>([
    ['FAILED, not risky, PASSPORT', { ...PASSED, verdict: 'FAILED' }],
    ['PASSED, risky, PASSPORT', { ...PASSED, risky: true }],
    ['PASSED, risk unknown, PASSPORT', { ...PASSED, risky: null }],
    ['PASSED, not risky, no document', { ...PASSED, family: null }],
    ['dead letter rejected', REJECTED],
  ])('reports an unexpected outcome: %s', (words, outcome) => {
    expect(errorsOf([sentAt(0n)], [outputOf(0n, outcome)])).toEqual([
      `event0 should be PASSED, not risky, PASSPORT, but is ${words}.`,
    ])
  })

  test.each([Buffer.from('other'), Buffer.alloc(0), null])(
    'reports a dead letter with different bytes',
    (value) => {
      expect(errorsOf([sentAt(0n, REJECTED)], [outputOf(0n, REJECTED, value)])).toEqual([
        'The dead letter of event0 does not contain the bytes of its event.',
      ])
    },
  )
})

describe('the quota check', () => {
  const report = {
    calls: 9,
    callsByCode: {},
    transactionsByCalls: {},
    callsInTheLastSecond: 0,
    maxCallsInASecond: 50,
    maxAdmittedInASecond: 50,
  }

  test('passes if the busiest second has exactly the allowed number of calls', () => {
    expect(checkQuota(report, 50).errors).toEqual([])
  })

  test('fails with one additional call or one throttled call', () => {
    const more = checkQuota({ ...report, maxCallsInASecond: 51 }, 50)
    expect(more.errors).toEqual(['There were 51 calls in one second; the quota is 50.'])
    const refused = checkQuota({ ...report, callsByCode: { 'Throttling.Api': 2, 'Throttling.User': 1 } }, 50)
    expect(refused.errors).toEqual(['2 calls were rejected with Throttling.Api.'])
  })
})
