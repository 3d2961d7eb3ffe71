import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DEAD_LETTER_REASONS,
  deadLetterHeaders,
  retryHeaders,
  tracingHeaders,
  type DeadLetterFacts,
} from '../../../src/core/dead-letter.ts'

const FACTS: DeadLetterFacts = {
  cause: {
    reason: 'rejected',
    code: 'TransactionIdInvalid',
    stage: 'classify',
    message: 'A sentence of ours.',
  },
  history: {
    attempts: 3,
    firstSeenMs: 1_000,
    source: { topic: 'in', partition: 4, offset: 17n },
    redrives: 0,
  },
  failedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  service: 'checkresult-stream/1.2.3',
}

function texts(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

function withCode(code: string): string {
  const headers = deadLetterHeaders({}, { ...FACTS, cause: { ...FACTS.cause, code } })
  return String(headers['checkresult-code'])
}

const bytes = fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value))
const headers = fc.dictionary(
  fc.oneof(fc.string(), fc.constantFrom('traceparent', 'checkresult', '__connect.errors', 'content-type')),
  fc.oneof(bytes, fc.array(bytes), fc.constant(null)),
)

describe('the headers of a dead letter', () => {
  test('say why, where, when and by whom, under our names and those of Kafka Connect', () => {
    expect(texts(deadLetterHeaders({}, FACTS))).toEqual({
      'checkresult-reason': 'rejected',
      'checkresult-code': 'TransactionIdInvalid',
      'checkresult-stage': 'classify',
      'checkresult-attempts': '3',
      'checkresult-failed-at': '2026-01-02T03:04:05.006Z',
      'checkresult-service': 'checkresult-stream/1.2.3',
      '__connect.errors.topic': 'in',
      '__connect.errors.partition': '4',
      '__connect.errors.offset': '17',
      '__connect.errors.stage': 'classify',
      '__connect.errors.exception.class.name': 'checkresult.rejected',
      '__connect.errors.exception.message': 'A sentence of ours.',
    })
  })

  test('say how often the event was put back, where it was', () => {
    const history = { ...FACTS.history, redrives: 2 }
    expect(String(deadLetterHeaders({}, { ...FACTS, history })['checkresult-redrives'])).toBe('2')
    expect(String(retryHeaders({}, history)['checkresult-redrives'])).toBe('2')
  })

  test('keep those the record came with, byte for byte', () => {
    fc.assert(
      fc.property(headers, (original) => {
        const made = deadLetterHeaders(original, FACTS)
        for (const [name, value] of Object.entries(original)) expect(made[name]).toBe(value)
        expect(Object.keys(made)).toHaveLength(Object.keys(original).length + 12)
      }),
    )
  })

  test('replace those of an earlier trip, none is left over', () => {
    const earlier = {
      ...retryHeaders({}, FACTS.history),
      ...deadLetterHeaders({}, FACTS),
      'checkresult-old': null,
    }
    expect(deadLetterHeaders(earlier, FACTS)).toEqual(deadLetterHeaders({}, FACTS))
  })

  test.each(['ProcessNotCompleted', 'Throttling.User', 'HTTP 502', 'not-json', 'a'.repeat(100)])(
    'pass on a code that looks like one: %s',
    (code) => {
      expect(withCode(code)).toBe(code)
    },
  )

  test.each(['', '测试人', 'TEST, PERSON', '{"name":"TEST"}', 'a\nb', 'a'.repeat(101)])(
    'pass on nothing that does not look like a code: %j',
    (code) => {
      expect(withCode(code)).toBe('unprintable')
    },
  )

  test('never hold a value of an answer, whatever stands in the place of the code', () => {
    const value = fc.constantFrom('TEST, PERSON', '测试人', 'Z683365(5)', '1990/01/02', 'TESTPERSON<<A')
    fc.assert(
      fc.property(
        value,
        fc.string(),
        fc.string(),
        fc.constantFrom(...DEAD_LETTER_REASONS),
        (secret, before, after, reason) => {
          const cause = { ...FACTS.cause, reason, code: `${before}${secret}${after}` }
          const all = Object.values(deadLetterHeaders({}, { ...FACTS, cause })).map(String)
          expect(all.filter((text) => text.includes(secret))).toEqual([])
        },
      ),
    )
  })
})

describe('the headers of a retry copy', () => {
  test("are the record's own and its history", () => {
    const own = { 'content-type': Buffer.from('avro'), traceparent: Buffer.from('00-1-2-01') }
    expect(texts(retryHeaders(own, FACTS.history))).toEqual({
      'content-type': 'avro',
      traceparent: '00-1-2-01',
      'checkresult-attempts': '3',
      'checkresult-first-seen': '1000',
      'checkresult-source': 'in:4:17',
    })
  })

  test('drop the reason of a dead letter that was put back', () => {
    const redriven = deadLetterHeaders({}, FACTS)
    expect(Object.keys(retryHeaders(redriven, FACTS.history))).toEqual([
      'checkresult-attempts',
      'checkresult-first-seen',
      'checkresult-source',
    ])
  })
})

test('a result inherits tracing headers and nothing else', () => {
  const own = {
    traceparent: Buffer.from('1'),
    tracestate: [Buffer.from('2'), Buffer.from('3')],
    'content-type': Buffer.from('avro'),
    'checkresult-attempts': Buffer.from('4'),
  }
  expect(tracingHeaders(own)).toEqual({ traceparent: own.traceparent, tracestate: own.tracestate })
  expect(tracingHeaders({})).toEqual({})
})
