import { expect, test } from 'vitest'
import { countOutcomes } from '../../../../src/pipeline/record/count-outcome.ts'
import type { ProcessedRecord } from '../../../../src/pipeline/record/outputs.ts'
import { fakeMetrics } from '../../../support/fakes.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const FACTS = {
  verdict: 'PASSED',
  subCode: '200',
  family: null,
  risk: 'absent',
  spoofTypes: [],
  disagrees: false,
} as const
const RESULT: ProcessedRecord = {
  outputs: [],
  counts: { kind: 'result', facts: FACTS, unreadable: false, attempts: 1, dropped: [] },
}

function counted(timestampMs: number, result: ProcessedRecord = RESULT) {
  const metrics = fakeMetrics()
  const deadLetters: unknown[] = []
  const deadLetterNotices = { add: (deadLetter: unknown) => void deadLetters.push(deadLetter) }
  countOutcomes({ metrics, deadLetterNotices }, [{ item: { timestampMs }, result }], NOW_MS)
  return { metrics, deadLetters }
}

test('a result is counted with the time since its event was written', () => {
  expect(counted(NOW_MS - 2_500).metrics.calls).toEqual([['resultCommitted', FACTS, 2.5]])
})

test.each([-1, 0, 1, NOW_MS + 86_400_001])(
  'a record timestamp of %d is excluded from the latency and counted',
  (timestampMs) => {
    expect(counted(timestampMs).metrics.calls).toEqual([
      ['implausibleTimestamp'],
      ['resultCommitted', FACTS, null],
    ])
  },
)

function foreign(deadLettered: boolean): ProcessedRecord {
  return { outputs: [], counts: { kind: 'foreign', foreign: 'tombstone', deadLettered } }
}

test('a record that is not an event is counted by its kind, and as a dead letter if it became one', () => {
  expect(counted(NOW_MS, foreign(false)).metrics.calls).toEqual([['foreign', 'tombstone']])
  const deadLetter = counted(NOW_MS, foreign(true))
  expect(deadLetter.metrics.calls).toEqual([
    ['foreign', 'tombstone'],
    ['deadLettered', 'undecodable'],
  ])
  expect(deadLetter.deadLetters).toEqual([])
})

test('the commit callback of a record is called', () => {
  let calls = 0
  counted(NOW_MS, { ...RESULT, onCommitted: () => void (calls += 1) })
  expect(calls).toBe(1)
})
