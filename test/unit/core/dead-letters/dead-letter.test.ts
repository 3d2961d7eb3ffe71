import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DEAD_LETTER_REASONS,
  deadLetterHeaders,
  retryHeaders,
  tracingHeaders,
  type DeadLetterFacts,
} from '../../../../src/core/dead-letters/dead-letter.ts'
import { NO_HEADERS } from '../../../../src/core/records/headers.ts'
import { headersOf, headerText, headerTexts } from '../../../support/headers.ts'

const FACTS: DeadLetterFacts = {
  cause: {
    reason: 'rejected',
    code: 'TransactionIdInvalid',
    stage: 'classify',
    message: 'A message of ours.',
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

function withCode(code: string): string | undefined {
  const headers = deadLetterHeaders([], { ...FACTS, cause: { ...FACTS.cause, code } })
  return headerText(headers, 'checkresult-code')
}

const bytes = fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value))
const ODD_NAMES = ['', '__proto__', 'constructor', 'toString', 'checkresult', '__connect.errors', '\xff\xfe']
const headers = fc.array(
  fc.record({
    name: fc.oneof(
      fc.constantFrom(...ODD_NAMES),
      bytes.map((name) => name.toString('latin1')),
    ),
    value: fc.option(bytes),
  }),
)

describe('dead-letter headers', () => {
  test('contain reason, position, time and service under our names and those of Kafka Connect', () => {
    expect(headerTexts(deadLetterHeaders([], FACTS))).toEqual({
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
      '__connect.errors.exception.message': 'A message of ours.',
    })
  })

  test('contain the redrive count after a redrive', () => {
    const history = { ...FACTS.history, redrives: 2 }
    expect(headerText(deadLetterHeaders([], { ...FACTS, history }), 'checkresult-redrives')).toBe('2')
    expect(headerText(retryHeaders([], history), 'checkresult-redrives')).toBe('2')
  })

  test("keep the producer's force header, which a deferred event still has", () => {
    const force = { name: 'checkresult-force', value: null }
    expect(retryHeaders([force], FACTS.history)[0]).toEqual(force)
    expect(deadLetterHeaders([force], FACTS)[0]).toEqual(force)
  })

  test("start with the record's own headers in their order, including null values and repeated names", () => {
    fc.assert(
      fc.property(headers, (original) => {
        const made = deadLetterHeaders(original, FACTS)
        expect(made.slice(0, original.length)).toEqual(original)
        expect(made).toHaveLength(original.length + 12)
      }),
    )
  })

  test('replace all headers of an earlier dead letter', () => {
    const earlier = [
      ...retryHeaders([], FACTS.history),
      ...deadLetterHeaders([], FACTS),
      { name: 'checkresult-old', value: null },
    ]
    expect(deadLetterHeaders(earlier, FACTS)).toEqual(deadLetterHeaders([], FACTS))
  })

  test.each(['ProcessNotCompleted', 'Throttling.User', 'HTTP 502', 'not-json', 'a'.repeat(100)])(
    'include a code that looks like one: %s',
    (code) => {
      expect(withCode(code)).toBe(code)
    },
  )

  test.each(['', '测试人', 'TEST, PERSON', '{"name":"TEST"}', 'a\nb', 'a'.repeat(101)])(
    'omit a code that does not look like one: %j',
    (code) => {
      expect(withCode(code)).toBe('unprintable')
    },
  )

  test('never contain a value from an answer, even in place of the code', () => {
    const value = fc.constantFrom('TEST, PERSON', '测试人', 'Z683365(5)', '1990/01/02', 'TESTPERSON<<A')
    fc.assert(
      fc.property(
        value,
        fc.string(),
        fc.string(),
        fc.constantFrom(...DEAD_LETTER_REASONS),
        (secret, before, after, reason) => {
          const cause = { ...FACTS.cause, reason, code: `${before}${secret}${after}` }
          const all = Object.values(headerTexts(deadLetterHeaders([], { ...FACTS, cause })))
          expect(all.filter((text) => text.includes(secret))).toEqual([])
        },
      ),
    )
  })
})

describe('retry-copy headers', () => {
  test("are the record's own headers and its history", () => {
    const own = headersOf({ 'content-type': 'avro', traceparent: '00-1-2-01' })
    expect(headerTexts(retryHeaders(own, FACTS.history))).toEqual({
      'content-type': 'avro',
      traceparent: '00-1-2-01',
      'checkresult-attempts': '3',
      'checkresult-first-seen': '1000',
      'checkresult-source': 'in:4:17',
    })
  })

  test('omit the reason of a redriven dead letter', () => {
    const redriven = deadLetterHeaders([], FACTS)
    expect(retryHeaders(redriven, FACTS.history).map(({ name }) => name)).toEqual([
      'checkresult-attempts',
      'checkresult-first-seen',
      'checkresult-source',
    ])
  })
})

test('a result inherits only tracing headers', () => {
  const tracing = headersOf({ traceparent: null, tracestate: ['2', null, '3'] })
  const others = headersOf({ 'content-type': 'avro', 'checkresult-attempts': '4' })
  expect(tracingHeaders([...tracing, ...others])).toEqual(tracing)
  expect(tracingHeaders(others)).toBe(NO_HEADERS)
  expect(tracingHeaders([])).toBe(NO_HEADERS)
})
