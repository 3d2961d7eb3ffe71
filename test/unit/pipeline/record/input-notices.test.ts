import { beforeEach, describe, expect, test } from 'vitest'
import { InputNotices } from '../../../../src/pipeline/record/input-notices.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { fakeMetrics, inputRecord, type RecordedMetrics } from '../../../support/fakes.ts'
import { recordingLog, type RecordingLog } from '../../../support/recording-log.ts'

const HOUR_MS = 3_600_000
const TOMBSTONE = { kind: 'foreign', foreign: 'tombstone', message: 'The record has no value.' } as const
const TEXT = { kind: 'foreign', foreign: 'unknown-format', message: 'The value is text.' } as const

let clock: FakeClock
let log: RecordingLog
let metrics: RecordedMetrics

beforeEach(() => {
  clock = new FakeClock()
  log = recordingLog()
  metrics = fakeMetrics()
})

function noticesOf(foreignRecords: 'skip' | 'dead-letter' = 'skip'): InputNotices {
  return new InputNotices({ foreignRecords, clock, metrics, log })
}

describe('notices about records that are not events', () => {
  test('are logged once per kind and hour with the position of the first record', async () => {
    const notices = noticesOf()
    for (const offset of [5, 6, 7]) notices.foreign(inputRecord(offset), TOMBSTONE)
    notices.foreign(inputRecord(8), TEXT)
    await clock.advance(HOUR_MS)
    notices.foreign(inputRecord(9), TOMBSTONE)
    expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
      ['warn', { topic: 'in', partition: 0, offset: '5', reason: 'tombstone' }],
      ['warn', { topic: 'in', partition: 0, offset: '8', reason: 'unknown-format' }],
      ['warn', { topic: 'in', partition: 0, offset: '9', reason: 'tombstone' }],
    ])
  })

  test.each([
    ['skip', /has no value\. Such records are skipped and counted/],
    ['dead-letter', /has no value\. Such records become dead letters/],
  ] as const)('name the outcome of these records: %s', (mode, expected) => {
    noticesOf(mode).foreign(inputRecord(5), TOMBSTONE)
    expect(log.lines[0]?.message).toMatch(expected)
  })
})

describe('notices about event keys', () => {
  const event = { transactionId: 'hkstest1' }

  test.each([
    ['their transaction', 'hkstest1'],
    ['their transaction in quotes', '"hkstest1"'],
    ['their transaction as Avro', '\0\0\0\0\u0007\u0010hkstest1'],
  ])('ignore events keyed by %s', (_, key) => {
    noticesOf().event(inputRecord(5, { key: Buffer.from(key) }), event)
    expect([metrics.of('unkeyed'), log.lines]).toEqual([[], []])
  })

  test.each([
    ['no key', null],
    ['an empty key', Buffer.alloc(0)],
    ['another key', Buffer.from('biz1')],
  ])('count events with %s and log once an hour without the transaction id', async (_, key) => {
    const notices = noticesOf()
    for (const offset of [5, 6, 7]) notices.event(inputRecord(offset, { key }), event)
    await clock.advance(HOUR_MS)
    notices.event(inputRecord(8, { key }), event)
    expect(metrics.of('unkeyed')).toHaveLength(4)
    expect(log.lines.map(({ fields }) => fields.offset)).toEqual(['5', '8'])
    expect(JSON.stringify(log.lines)).not.toContain(event.transactionId)
  })
})

test('notices about events that CheckResult rejects while it accepts others are logged once per reason and hour with the code', () => {
  const notices = noticesOf()
  for (const offset of [5, 6])
    notices.setAside(inputRecord(offset), { reason: 'refused', code: 'Forbidden.X' })
  notices.setAside(inputRecord(7), { reason: 'throttled', code: 'Throttling.User' })
  expect(log.lines.map(({ fields }) => fields)).toEqual([
    { topic: 'in', partition: 0, offset: '5', reason: 'refused', code: 'Forbidden.X' },
    { topic: 'in', partition: 0, offset: '7', reason: 'throttled', code: 'Throttling.User' },
  ])
})
