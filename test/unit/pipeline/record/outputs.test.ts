import { describe, expect, test } from 'vitest'
import type { FinalAnswer } from '../../../../src/core/calls/answer.ts'
import type { DeferReason } from '../../../../src/core/records/defer.ts'
import type { ForeignRecords } from '../../../../src/core/records/foreign-records.ts'
import { lastText } from '../../../../src/core/records/headers.ts'
import { partitionOfKey } from '../../../../src/core/partitions/partition.ts'
import { Outputs, type ProcessedRecord, type DecodedRecord } from '../../../../src/pipeline/record/outputs.ts'
import type { OutputRecord } from '../../../../src/ports.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { inputRecord } from '../../../support/fakes.ts'
import { headersOf, headerText } from '../../../support/headers.ts'

const ANSWER: FinalAnswer = {
  requestId: 'r',
  passed: 'N',
  subCode: '212',
  document: 'unreadable',
  spoofed: null,
  spoofTypes: [],
  faceAttacked: null,
  droppedMembers: ['address', 'other'],
}
const HOUR_MS = 3_600_000

function outputsOf(counts: Readonly<Record<string, number>> = {}, foreignRecords: ForeignRecords = 'skip') {
  const clock = new FakeClock()
  const outputs = new Outputs({
    topics: { input: 'in', result: 'result', deadLetter: 'dead' },
    retryTopics: [
      { topic: 'retry.10s', delayMs: 10_000 },
      { topic: 'retry.1m', delayMs: 60_000 },
    ],
    maxAgeMs: HOUR_MS,
    foreignRecords,
    pii: 'omit',
    service: 'checkresult-stream/0',
    encode: ({ transactionId, source }) => Buffer.from(`${transactionId} ${source.topic}:${source.offset}`),
    partitions: (topic) => counts[topic] ?? 8,
    clock,
  })
  return { clock, outputs }
}

function work(
  changes: Partial<DecodedRecord['record']> = {},
  firstSeenMs = Date.UTC(2026, 0, 1),
): DecodedRecord {
  const record = inputRecord(5, {
    partition: 3,
    headers: headersOf({ traceparent: 'trace', 'content-type': 'avro' }),
    ...changes,
  })
  return {
    record,
    event: {
      transactionId: 't1',
      merchantBizId: 'b1',
      productCode: null,
      docType: null,
      completedAt: 0,
      passed: 'Y',
      subCode: null,
    },
    history: { attempts: 2, firstSeenMs, source: { topic: 'in', partition: 3, offset: 1n }, redrives: 0 },
  }
}

function only({ outputs }: ProcessedRecord): OutputRecord {
  const [output, ...others] = outputs
  if (output === undefined || others.length > 0) throw new Error(`${outputs.length} outputs instead of one.`)
  return output
}

describe('a result', () => {
  test('has its transaction id as key, the encoded value, and only the tracing headers of its event', () => {
    const one = work()
    expect(only(outputsOf().outputs.result(one, ANSWER))).toEqual({
      topic: 'result',
      partition: 3,
      key: Buffer.from('t1'),
      value: Buffer.from('t1 in:1'),
      headers: headersOf({ traceparent: 'trace' }),
    })
  })

  test('is counted with its verdict and risk, and as unreadable if its document was', () => {
    expect(outputsOf().outputs.result(work(), ANSWER).counts).toMatchObject({
      kind: 'result',
      unreadable: true,
      dropped: ['address', 'other'],
      facts: { verdict: 'FAILED', risk: 'risky', disagrees: true },
    })
  })
})

describe('a retry copy', () => {
  test('has the bytes and headers of its event, and its history', () => {
    const one = work()
    const processed = outputsOf().outputs.defer(one, 'pending', 'Success')
    const copy = only(processed)
    expect([copy.topic, copy.partition, processed.counts]).toEqual([
      'retry.10s',
      3,
      { kind: 'deferred', reason: 'pending' },
    ])
    expect([copy.key, copy.value]).toEqual([one.record.key, one.record.value])
    expect(copy.headers.map(({ name }) => name)).toEqual([
      'traceparent',
      'content-type',
      'checkresult-attempts',
      'checkresult-first-seen',
      'checkresult-source',
    ])
  })

  test('goes to the next retry topic if its record comes from a retry topic', () => {
    const one = work({ topic: 'retry.10s' })
    expect(only(outputsOf().outputs.defer(one, 'pending', 'Success')).topic).toBe('retry.1m')
  })
})

describe('an event that is too old', () => {
  test.each<[DeferReason, string]>([
    ['not-completed', 'not-completed'],
    ['pending', 'not-completed'],
    ['unavailable', 'unavailable'],
    ['refused', 'refused'],
    ['throttled', 'refused'],
    ['unknown-code', 'unknown-code'],
  ])('becomes a dead letter instead of being deferred as %s: %s', (reason, expected) => {
    const { outputs, clock } = outputsOf()
    const processed = outputs.defer(work({}, clock.epochMs() - HOUR_MS), reason, 'SomeCode')
    expect(processed.counts).toMatchObject({ kind: 'dead-letter', reason: expected, code: 'SomeCode' })
    expect(headerText(only(processed).headers, 'checkresult-code')).toBe('SomeCode')
  })
})

describe('a dead letter', () => {
  test('has the exact key, value and headers of its record', () => {
    const { record, history } = work({ key: null, value: null })
    const processed = outputsOf().outputs.deadLetter(record, history, {
      reason: 'undecodable',
      code: 'tombstone',
      stage: 'decode',
      message: 'The record has no value.',
    })
    const deadLetter = only(processed)
    expect([deadLetter.topic, deadLetter.key, deadLetter.value]).toEqual(['dead', null, null])
    expect(deadLetter.headers.slice(0, record.headers.length)).toEqual(record.headers)
    expect(processed.counts).toEqual({
      kind: 'dead-letter',
      reason: 'undecodable',
      code: 'tombstone',
      source: history.source,
    })
  })
})

describe('the partition of an output', () => {
  const cause = { reason: 'undecodable', code: 'empty-value', stage: 'decode', message: '' } as const

  test('is the partition of the original event if the output topic has it, also for a record from a retry topic', () => {
    const one = work({ topic: 'retry.10s', partition: 1 })
    for (const width of [4, 6, 64]) {
      const { outputs } = outputsOf({ in: 4, 'retry.10s': 2, result: width, 'retry.1m': width, dead: width })
      const all = [
        outputs.result(one, ANSWER),
        outputs.defer(one, 'pending', 'Success'),
        outputs.deadLetter(one.record, one.history, cause),
      ]
      expect(all.map((processed) => only(processed).partition)).toEqual([3, 3, 3])
    }
  })

  test('depends on the transaction id for a result and on the key otherwise, if the output topic lacks it', () => {
    const one = work()
    const { outputs } = outputsOf({ in: 4, result: 3, dead: 3 })
    expect(only(outputs.result(one, ANSWER)).partition).toBe(partitionOfKey(Buffer.from('t1'), 3))
    const deadLetter = only(outputs.deadLetter(one.record, one.history, cause))
    expect(deadLetter.partition).toBe(partitionOfKey(one.record.key, 3))
  })

  test('depends on the partition of the event if there is no key', () => {
    const one = work({ key: null })
    const { outputs } = outputsOf({ in: 4, dead: 2 })
    expect(only(outputs.deadLetter(one.record, one.history, cause)).partition).toBe(1)
  })
})

describe('a record that is not an event', () => {
  const FOREIGN = { foreign: 'tombstone', message: 'The record has no value.' } as const

  test('has no output by default', () => {
    const { record, history } = work({ value: null })
    expect(outputsOf().outputs.foreign(record, history, FOREIGN)).toEqual({
      outputs: [],
      counts: { kind: 'foreign', foreign: 'tombstone', deadLettered: false },
    })
  })

  test('becomes a dead letter with its own bytes if configured', () => {
    const { record, history } = work({ value: null })
    const processed = outputsOf({}, 'dead-letter').outputs.foreign(record, history, FOREIGN)
    const deadLetter = only(processed)
    expect([deadLetter.topic, deadLetter.key, deadLetter.value]).toEqual(['dead', record.key, null])
    expect(lastText(deadLetter.headers, 'checkresult-code')).toBe('tombstone')
    expect(processed.counts).toEqual({ kind: 'foreign', foreign: 'tombstone', deadLettered: true })
  })
})
