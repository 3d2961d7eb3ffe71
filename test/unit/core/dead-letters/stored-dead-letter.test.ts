import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deadLetterHeaders, type DeadLetterFacts } from '../../../../src/core/dead-letters/dead-letter.ts'
import { textHeader, type Headers } from '../../../../src/core/records/headers.ts'
import {
  EVERY_DEAD_LETTER,
  isSelected,
  receiptHeaders,
  parsePosition,
  positionName,
  readDlqRecord,
  redrivenHeaders,
  type StoredDeadLetter,
  type DlqRecord,
} from '../../../../src/core/dead-letters/stored-dead-letter.ts'
import { headersOf } from '../../../support/headers.ts'

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
    redrives: 2,
  },
  failedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  service: 'checkresult-stream 1.2.3',
}
const AT = { partition: 1, offset: 9_007_199_254_740_993n }
const NOW = Date.UTC(2026, 0, 3)

function stored(headers: Headers): DlqRecord {
  return readDlqRecord({ ...AT, timestampMs: NOW, headers })
}

function deadLetter(changes: Partial<StoredDeadLetter> = {}): StoredDeadLetter {
  const found = stored(deadLetterHeaders([], FACTS))
  if (found.kind !== 'dead-letter') throw new Error('The record is not a dead letter.')
  return { ...found.deadLetter, ...changes }
}

describe('a record in the dead-letter topic', () => {
  test('is a dead letter with the missing parts of its event', () => {
    const headers = ['value', 'headers'].map((part) => textHeader(`checkresult-left-out-${part}`, '9 bytes'))
    const found = stored([...deadLetterHeaders([], FACTS), ...headers])
    expect(found).toMatchObject({ kind: 'dead-letter', deadLetter: { leftOut: ['value', 'headers'] } })
  })

  test('is a dead letter with everything that its headers contain', () => {
    expect(stored(deadLetterHeaders(headersOf({ own: 'x' }), FACTS))).toEqual({
      kind: 'dead-letter',
      deadLetter: {
        ...AT,
        reason: 'rejected',
        code: 'TransactionIdInvalid',
        stage: 'classify',
        message: 'A message of ours.',
        service: 'checkresult-stream 1.2.3',
        attempts: 3,
        redrives: 2,
        failedAtMs: FACTS.failedAtMs,
        source: FACTS.history.source,
        leftOut: [],
      },
    })
  })

  test('is a redrive receipt if it has the header, and then never a dead letter', () => {
    expect(stored(receiptHeaders(AT))).toEqual({ kind: 'redrive-receipt', of: AT })
    expect(stored([...deadLetterHeaders([], FACTS), ...receiptHeaders(AT)]).kind).toBe('redrive-receipt')
  })

  test('is foreign if it has no reason', () => {
    expect(stored([textHeader('content-type', 'avro')])).toEqual({ kind: 'other' })
  })

  test("is a dead letter with the record's time and an unknown event if its headers are incomplete", () => {
    const found = stored([textHeader('checkresult-reason', 'rejected')])
    expect(found).toMatchObject({ deadLetter: { failedAtMs: NOW, source: null, attempts: 0, redrives: 0 } })
  })

  test('has a valid date even if its timestamp is invalid', () => {
    const headers = [textHeader('checkresult-reason', 'rejected')]
    expect(readDlqRecord({ ...AT, timestampMs: 9e15, headers })).toMatchObject({
      deadLetter: { failedAtMs: 0 },
    })
  })

  test('cannot contain terminal control characters, whoever wrote it', () => {
    const reason = textHeader('checkresult-reason', 'a\u001b[2Jb\nc\u202ed')
    expect(stored([reason])).toMatchObject({ deadLetter: { reason: 'a?[2Jb?c?d' } })
  })

  test('is read from any headers without throwing', () => {
    const bytes = fc.uint8Array().map((value) => Buffer.from(value))
    const name = fc.constantFrom(
      ...deadLetterHeaders([], FACTS).map((header) => header.name),
      'checkresult-redriven',
    )
    const value = fc.option(bytes)
    fc.assert(
      fc.property(fc.array(fc.record({ name, value })), (headers) => {
        expect(['dead-letter', 'redrive-receipt', 'other']).toContain(stored(headers).kind)
      }),
    )
  })
})

describe('a DLQ position', () => {
  test('is formatted and parsed for any offset size', () => {
    expect(parsePosition(positionName(AT))).toEqual(AT)
  })

  test.each(['', '1', '1:', ':1', '1:-1', '-1:1', '1:1:1', 'a:1', '1.5:1', ' 1:1', '1:12345678901234567890'])(
    'is not parsed from "%s"',
    (name) => {
      expect(parsePosition(name)).toBeNull()
    },
  )
})

describe('a selection of dead letters', () => {
  const one = deadLetter()

  test('contains every dead letter if there are no filters', () => {
    expect(isSelected(one, EVERY_DEAD_LETTER)).toBe(true)
  })

  test.each([
    ['its reason', { reasons: new Set(['unavailable', 'rejected']) }, true],
    ['another reason', { reasons: new Set(['unavailable']) }, false],
    ['its code', { codes: new Set(['TransactionIdInvalid']) }, true],
    ['another code', { codes: new Set(['Transaction']) }, false],
    ['its position', { positions: new Set([positionName(one)]) }, true],
    ['another position', { positions: new Set(['1:1']) }, false],
    ['an age it has', { failedBeforeMs: one.failedAtMs + 1 }, true],
    ['an age it has not reached', { failedBeforeMs: one.failedAtMs }, false],
    ['an age it has passed', { failedAfterMs: one.failedAtMs }, false],
    ['its reason and another code', { reasons: new Set(['rejected']), codes: new Set(['x']) }, false],
  ])('is filtered correctly by %s', (_, changes, selected) => {
    expect(isSelected(one, { ...EVERY_DEAD_LETTER, ...changes })).toBe(selected)
  })
})

test('an event is put back with its own headers and an increased redrive count, and nothing else', () => {
  const own = headersOf({ 'content-type': 'avro', twice: ['1', null, '2'], ['__proto__']: null })
  const headers = redrivenHeaders(deadLetterHeaders(own, FACTS), deadLetter())
  expect(headers).toEqual([...own, textHeader('checkresult-redrives', '3')])
})
