import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Check } from '../../../../dev/demo/check.ts'
import { summaryOf } from '../../../../dev/demo/summary.ts'
import type { Outcome } from '../../../../dev/demo/outcome.ts'
import type { SentEvent } from '../../../../dev/demo/send.ts'

const passed: Outcome = { kind: 'result', verdict: 'PASSED', risky: false, family: 'PASSPORT' }
const rejected: Outcome = { kind: 'dead-letter', reason: 'rejected' }
const source = { topic: 'input', partition: 0, offset: 0n }

const event: SentEvent = {
  number: 1,
  content: { kind: 'bytes', value: null },
  expected: passed,
  defers: false,
  key: 'event',
  value: null,
  sentAtMs: 100,
  inRush: false,
  partition: 0,
  offset: 0n,
}

function summary(outcome: Outcome, check: Check): string {
  const text = summaryOf({
    matched: {
      pairs: [{ event, outputs: [{ outcome, source, timestampMs: 142, value: null, result: null }] }],
      strays: [],
    },
    figures: {
      results: 1,
      passed: 1,
      riskChecked: 1,
      risky: 0,
      deadLetters: 0,
      deferred: 0,
      report: {
        calls: 2,
        callsByCode: { Success: 1 },
        transactionsByCalls: {},
        callsInTheLastSecond: 0,
        maxCallsInASecond: 2,
        maxAdmittedInASecond: 2,
      },
    },
    qps: 50,
    checks: [check],
  })
  return stripVTControlCharacters(text)
}

describe('the demo summary', () => {
  test('shows expected and actual counts with latency and quota', () => {
    const text = summary(passed, { promise: 'it holds', errors: [] })
    expect(text).toMatch(/Passed +│ +1 │ +1 │/)
    expect(text).toMatch(/at a steady pace +│ +42 ms \/ 42 ms/)
    expect(text).toMatch(/2 of 50/)
    expect(text).toMatch(/✔ it holds\nAll checks passed\.$/m)
  })

  test('shows an unexpected outcome', () => {
    const text = summary(rejected, { promise: 'it holds', errors: ['It does not.'] })
    expect(text).toMatch(/Passed +│ +1 │ +0 │/)
    expect(text).toMatch(/Dead letter: rejected +│ +0 │ +1 │/)
    expect(text).toMatch(/✘ it holds\n {4}It does not\.\nSome checks failed\.$/m)
  })

  test('limits the number of errors that it lists', () => {
    const errors = Array.from({ length: 25 }, (_, at) => `Error ${at}.`)
    const text = summary(passed, { promise: 'it holds', errors })
    expect(text).toContain('Error 9.\n    … and 15 more')
  })
})
