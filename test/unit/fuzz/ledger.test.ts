/** Each kind of fault that the fuzz suite looks for must be detected. */
import avsc from 'avsc'
import { beforeEach, expect, test } from 'vitest'
import { schemaJson } from '../../../src/adapters/registry/schemas.ts'
import type { World } from '../../fuzz/contents.ts'
import { CANARY } from '../../fuzz/events.ts'
import { kindOf, type Kind } from '../../fuzz/kinds.ts'
import { Ledger } from '../../fuzz/ledger.ts'
import type { Header, StoredRecord } from '../../fuzz/record-batch.ts'
import { recordOf, type FuzzRecord } from '../../fuzz/records.ts'

const SEED = 1
const NAMES = { input: 'in', result: 'out', deadLetter: 'dead' }
const VARIATION = {
  name: 'ours',
  meaning: 'event',
  id: 1,
  encode: () => Buffer.from([1]),
  read: <T>(event: T) => event,
} as const
const WORLD: World = {
  seed: SEED,
  nowMs: Date.UTC(2026, 0, 1),
  schemas: { avro: [VARIATION], ours: VARIATION, jsonSchemaId: 2, protobufId: 3 },
  foreignRecords: 'skip',
  maxBatchBytes: 1_048_588,
}
const resultType = avsc.Type.forSchema(JSON.parse(schemaJson('verification-result')) as avsc.Schema)

let ledger: Ledger

beforeEach(() => {
  ledger = new Ledger({
    seed: SEED,
    names: NAMES,
    recordOf: (number) => recordOf(WORLD, number),
    isExcused: () => false,
    lateMs: 1_000,
    maxAgeMs: 1_000,
  })
})

/** The first record of a kind that is not followed by a duplicate of it. */
function first(kind: Kind): FuzzRecord {
  for (let number = 0; ; number += 1)
    if (kindOf(SEED, number) === kind && kindOf(SEED, number + 1) !== 'duplicate')
      return recordOf(WORLD, number)
}

function resultOf({ event, plan, headers }: FuzzRecord, changes: object = {}): StoredRecord {
  if (event === null) throw new Error('The record has no event.')
  const result = {
    ...event,
    verdict: plan.verdict ?? 'UNKNOWN',
    risk: { detected: null, spoofTypes: [] },
    document: null,
    requestId: null,
    checkedAt: event.completedAt,
    attempts: 1,
    source: { topic: NAMES.input, partition: 0, offset: 7 },
    ...changes,
  }
  return {
    offset: 0n,
    timestampMs: 0n,
    key: Buffer.from(event.transactionId),
    value: Buffer.concat([Buffer.alloc(5), resultType.toBuffer(result)]),
    headers: headers.filter(([name]) => name === 'traceparent' || name === 'tracestate'),
  }
}

function deadLetterOf({ key, value, headers }: FuzzRecord): StoredRecord {
  const own = headers.filter(([name]) => !/^(checkresult-|__connect)/.test(name))
  const ours = Object.entries({
    'checkresult-reason': 'undecodable',
    '__connect.errors.topic': NAMES.input,
    '__connect.errors.partition': '0',
    '__connect.errors.offset': '7',
  }).map(([name, text]): Header => [name, Buffer.from(text)])
  return { offset: 0n, timestampMs: 0n, key, value, headers: [...own, ...ours] }
}

function kinds(): string[] {
  return ledger.problems.map(({ kind }) => kind)
}

test('reports no problem if a record has the expected outcome', () => {
  const good = first('good')
  ledger.noteSent(good, 0, 7n)
  ledger.noteOutput('out', resultOf(good), performance.now())
  ledger.close(0)
  expect(kinds()).toEqual([])
})

test('matches an output that is read before the write of its record is acknowledged', () => {
  const good = first('good')
  ledger.noteOutput('out', resultOf(good), performance.now())
  ledger.noteSent(good, 0, 7n)
  ledger.close(0)
  expect(kinds()).toEqual([])
})

test('reports a record without an outcome as lost', () => {
  ledger.noteSent(first('good'), 0, 7n)
  ledger.close(1)
  expect(kinds()).toEqual(['lost'])
})

test('reports a skipped record that the service did not count as lost', () => {
  ledger.noteSent(first('tombstone'), 0, 7n)
  ledger.close(0)
  expect(kinds()).toEqual(['lost'])
})

test('reports a second output as a repeat, and a late output of a valid record as late', () => {
  const good = first('good')
  ledger.noteSent(good, 0, 7n)
  ledger.noteOutput('out', resultOf(good), performance.now() + 2_000)
  ledger.noteOutput('out', resultOf(good), performance.now())
  expect(kinds()).toEqual(['late', 'repeated'])
})

test('reports an output of an aborted or unknown record as strange', () => {
  const good = first('good')
  ledger.noteAborted(good, 0, 7n)
  ledger.noteOutput('out', resultOf(good), performance.now())
  ledger.noteOutput(
    'out',
    resultOf(good, { source: { topic: 'in', partition: 1, offset: 1 } }),
    performance.now(),
  )
  ledger.close(0)
  expect(kinds()).toEqual(['strange', 'strange'])
})

test('reports a dead letter for a valid event, a wrong key and a wrong verdict', () => {
  const good = first('good')
  const other = good.plan.verdict === 'PASSED' ? 'FAILED' : 'PASSED'
  ledger.noteSent(good, 0, 7n)
  ledger.noteOutput(
    'out',
    { ...resultOf(good, { verdict: other }), key: Buffer.from('other') },
    performance.now(),
  )
  expect(kinds()).toEqual(['wrong', 'wrong'])
  ledger.noteSent(good, 0, 8n)
  const deadLetter = deadLetterOf(good)
  const headers = deadLetter.headers.map(([name, value]): Header =>
    name === '__connect.errors.offset' ? [name, Buffer.from('8')] : [name, value],
  )
  ledger.noteOutput('dead', { ...deadLetter, headers }, performance.now())
  expect(kinds()).toEqual(['wrong', 'wrong', 'wrong'])
})

test.each<[about: string, change: (deadLetter: StoredRecord) => Partial<StoredRecord>, problem: string]>([
  ['a key', () => ({ key: Buffer.from('other') }), 'changed'],
  ['a value', () => ({ value: Buffer.from('other') }), 'changed'],
  ['a value that is missing without an explanation', () => ({ value: null }), 'changed'],
  ['a header', ({ headers }) => ({ headers: [['added', null], ...headers] }), 'changed'],
  [
    'a header of ours that holds a value of the event',
    ({ headers }) => ({ headers: [...headers, ['checkresult-code', Buffer.from(CANARY)]] }),
    'leaked',
  ],
])('reports a dead letter that is not an exact copy: %s', (_, change, problem) => {
  const mutated = first('mutated')
  ledger.noteSent(mutated, 0, 7n)
  const deadLetter = deadLetterOf(mutated)
  ledger.noteOutput('dead', { ...deadLetter, ...change(deadLetter) }, performance.now())
  expect(kinds()).toEqual([problem])
})
