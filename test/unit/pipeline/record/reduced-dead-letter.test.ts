import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { lastText, type Header } from '../../../../src/core/records/headers.ts'
import { reducedDeadLetter } from '../../../../src/pipeline/record/reduced-dead-letter.ts'
import type { Failure, OutputRecord } from '../../../../src/ports.ts'

const TOO_LARGE: Failure = { code: 'MESSAGE_TOO_LARGE', message: '', temporary: false }
const INVALID: Failure = { code: 'INVALID_RECORD', message: '', temporary: false }

const header = (name: string, text: string): Header => ({ name, value: Buffer.from(text) })
const OURS = [
  header('checkresult-reason', 'undecodable'),
  header('__connect.errors.topic', 'in'),
  header('__connect.errors.partition', '3'),
  header('__connect.errors.offset', '42'),
]

function deadLetter(changes: Partial<OutputRecord> = {}): OutputRecord {
  return {
    topic: 'dead',
    partition: 0,
    key: Buffer.from('k'),
    value: Buffer.from('v'),
    headers: OURS,
    ...changes,
  }
}

/** All forms of a dead letter, including the last one. */
function reductions(first: OutputRecord, failure: Failure): OutputRecord[] {
  const forms: OutputRecord[] = []
  for (let next = reducedDeadLetter(first, failure); next !== null; next = reducedDeadLetter(next, failure)) {
    forms.push(next)
    expect(forms.length).toBeLessThan(10)
  }
  return forms
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('a dead letter that is too large', () => {
  test('first loses its value, whose size and SHA-256 are stored in headers', () => {
    const value = Buffer.alloc(3_000_000, 'x')
    const reduced = reducedDeadLetter(deadLetter({ value }), TOO_LARGE)
    expect(reduced?.value).toBeNull()
    expect(lastText(reduced?.headers ?? [], 'checkresult-left-out-value')).toBe(
      `3000000 bytes, sha256 ${sha256(value)}`,
    )
    expect(reduced?.headers.slice(0, OURS.length)).toEqual(OURS)
  })

  test('first loses its own headers if they are the largest part', () => {
    const own = header('own', 'y'.repeat(1_500_000))
    const reduced = reducedDeadLetter(deadLetter({ headers: [own, ...OURS] }), TOO_LARGE)
    expect(String(reduced?.value)).toBe('v')
    expect(reduced?.headers.map(({ name }) => name)).toEqual([
      ...OURS.map(({ name }) => name),
      'checkresult-left-out-headers',
    ])
  })

  test('is reduced to our headers and a short key in the end', () => {
    const first = deadLetter({
      key: Buffer.alloc(900_000),
      value: Buffer.alloc(900_000),
      headers: [header('own', 'x'), ...OURS],
    })
    const last = reductions(first, TOO_LARGE).at(-1)
    expect([String(last?.key), last?.value]).toEqual(['in:3:42', null])
    expect(last?.headers.map(({ name }) => name)).toEqual([
      ...OURS.map(({ name }) => name),
      'checkresult-left-out-value',
      'checkresult-left-out-headers',
      'checkresult-left-out-key',
    ])
  })
})

describe('a dead letter that the brokers reject', () => {
  test('gets a key if it has none and keeps everything else', () => {
    const own = header('own', 'x')
    const reduced = reducedDeadLetter(deadLetter({ key: null, headers: [own, ...OURS] }), INVALID)
    expect(reduced).toEqual({ ...deadLetter({ headers: [own, ...OURS] }), key: Buffer.from('in:3:42') })
  })

  test("loses the event's own headers, then its value, and is then given up", () => {
    const forms = reductions(deadLetter({ headers: [header('own', 'x'), ...OURS] }), INVALID)
    expect(
      forms.map(({ value, headers }) => [value === null, headers.some(({ name }) => name === 'own')]),
    ).toEqual([
      [false, false],
      [true, false],
    ])
  })

  test('stores the size and SHA-256 of the headers as they were in the record, including null values', () => {
    const [reduced] = reductions(deadLetter({ headers: [{ name: 'own', value: null }, ...OURS] }), INVALID)
    const text = lastText(reduced?.headers ?? [], 'checkresult-left-out-headers')
    expect(text).toBe(`6 bytes, sha256 ${sha256(Buffer.from('\u0002\u0006own\u0001'))}`)
  })
})
