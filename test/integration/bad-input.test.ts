import type { IHeaders, Message } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Environment } from '../../dev/harness/environment.ts'
import { encodeJson, eventFor } from '../../dev/harness/events.ts'
import { subjectOf } from '../../src/adapters/registry/schemas.ts'
import { createTopics, type ReadRecord } from '../support/kafka.ts'
import { mutant, seeded } from '../support/mutants.ts'
import { EXACTLY_ONCE, header, sourceOf, type Coordinates } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const MUTANTS = 10_000
const MEGABYTE = 1024 * 1024
/** Part of the test's title. The same seed makes the same mutants. */
const SEED = Math.floor(Math.random() * 2 ** 31)
const OURS = /^(checkresult-|__connect\.errors\.)/

const EVENT = eventFor({ name: 'passpassport', docType: null }, 0)

interface Bad {
  readonly about: string
  readonly code: string
  readonly value: (avro: Buffer, otherSchemaId: number) => Buffer | null
}

const BAD: readonly Bad[] = [
  { about: 'a tombstone', code: 'tombstone', value: () => null },
  { about: 'an empty value', code: 'empty-value', value: () => Buffer.alloc(0) },
  { about: 'a single zero byte', code: 'unknown-format', value: () => Buffer.from([0]) },
  { about: 'another single byte', code: 'unknown-format', value: () => Buffer.from([255]) },
  { about: 'an unknown schema id', code: 'unknown-schema', value: (avro) => withId(avro, 2_000_000_000) },
  { about: "another record's schema", code: 'wrong-schema', value: withId },
  { about: 'truncated Avro', code: 'malformed-avro', value: (avro) => avro.subarray(0, -3) },
  { about: 'nothing after the schema id', code: 'unknown-format', value: (avro) => avro.subarray(0, 5) },
  { about: 'truncated JSON', code: 'malformed-json', value: () => encodeJson(EVENT).subarray(0, -1) },
  {
    about: 'JSON without a transaction',
    code: 'invalid-event',
    value: () => json({ transactionId: undefined }),
  },
  {
    about: 'JSON with a number instead of a text',
    code: 'invalid-event',
    value: () => json({ merchantBizId: 7 }),
  },
  {
    about: 'JSON with a text instead of a time',
    code: 'invalid-event',
    value: () => json({ completedAt: 'now' }),
  },
  {
    about: 'JSON with an empty transaction',
    code: 'invalid-event',
    value: () => json({ transactionId: '' }),
  },
  {
    about: 'JSON that is not UTF-8',
    code: 'invalid-utf8',
    value: () => Buffer.from('{"transactionId":"\xff"}', 'latin1'),
  },
  { about: 'a value of 5 MB', code: 'value-too-large', value: () => Buffer.alloc(5 * MEGABYTE, '{') },
]

const HEADERS: IHeaders = {
  binary: Buffer.from([0, 255, 1, 254]),
  empty: Buffer.alloc(0),
  twice: [Buffer.from([1]), Buffer.from([2])],
  'checkresult-reason': Buffer.from('of an earlier redrive'),
}

let run: Run
const sent: Coordinates[] = []
const messageAt = new Map<Coordinates, Message>()
const badAt: Coordinates[] = []
const mutantAt: Coordinates[] = []
const goodAt: Coordinates[] = []
let deadLetters: ReadonlyMap<Coordinates, ReadRecord>

beforeAll(async () => {
  run = await startRun({
    beforeTopics: createWideInput,
    settings: { DEAD_LETTER_LIMIT: 'off', KAFKA_FOREIGN_RECORDS: 'dead-letter' },
  })
  const avro = run.encode(EVENT)
  const otherId = await schemaId(subjectOf(run.topics.result))
  for (const { value } of BAD) {
    const message = { key: Buffer.from([0, 200]), value: value(avro, otherId), headers: HEADERS }
    badAt.push(...(await send([message, good(badAt.length)])).slice(0, 1))
  }
  const random = seeded(SEED)
  const messages = Array.from({ length: MUTANTS }, (_, number) => {
    const healthy = number % 2 === 0 ? avro : encodeJson(EVENT)
    return [{ key: null, value: mutant(healthy, random), headers: HEADERS }, good(BAD.length + number)]
  })
  // One good event for every ten bad ones.
  const mixed = messages.flatMap(([bad, healthy], at) => (at % 10 === 0 ? [bad, healthy] : [bad]))
  const positions = await send(mixed.filter((message) => message !== undefined))
  mutantAt.push(...positions.filter((position) => messageAt.get(position)?.headers !== undefined))
  await run.startReplica()
  await run.untilOut(sent)
  deadLetters = new Map(run.deadLetters().map((record) => [sourceOf(record, run.topics), record]))
})

afterAll(async () => run.close())

describe('a bad event becomes a dead letter with the reason and the original bytes if it is', () => {
  test.each(BAD)('$about', ({ about, code }) => {
    const deadLetter = untouched(badAt[BAD.findIndex((bad) => bad.about === about)] ?? '')
    expect(header(deadLetter, 'checkresult-reason')).toBe('undecodable')
    expect(header(deadLetter, 'checkresult-code')).toBe(code)
  })
})

test(`each of ${MUTANTS} mutated events (seed ${SEED}) becomes a dead letter with a reason and the original bytes`, () => {
  expect(mutantAt).toHaveLength(MUTANTS)
  for (const position of mutantAt) {
    const deadLetter = untouched(position)
    expect(header(deadLetter, 'checkresult-reason')).toBe('undecodable')
    expect(header(deadLetter, 'checkresult-code')).not.toBe('')
  }
})

test('every good event among them has a result, and each event has exactly one output', async () => {
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  const results = run.results().map((record) => sourceOf(record, run.topics))
  expect(results.toSorted()).toEqual(goodAt.toSorted())
})

/**
 * Finds the dead letter of the event at this position, and checks that it has the event's key, value and headers byte
 * for byte.
 */
function untouched(position: Coordinates): ReadRecord {
  const message = messageAt.get(position)
  const deadLetter = deadLetters.get(position)
  if (message === undefined || deadLetter === undefined)
    throw new Error(`There is no dead letter for ${position}.`)
  expect(isSame(message.key, deadLetter.key)).toBe(true)
  expect(isSame(message.value, deadLetter.value)).toBe(true)
  const { 'checkresult-reason': _, ...own } = HEADERS
  expect(Object.fromEntries(Object.entries(deadLetter.headers).filter(([name]) => !OURS.test(name)))).toEqual(
    own,
  )
  return deadLetter
}

function isSame(left: unknown, right: Buffer | null | undefined): boolean {
  if (right === null || right === undefined) return left === null || left === undefined
  return Buffer.isBuffer(left) && left.equals(right)
}

async function send(messages: readonly Message[]): Promise<Coordinates[]> {
  const positions = await run.send(messages)
  positions.forEach((position, at) => {
    const message = messages[at]
    if (message === undefined) return
    messageAt.set(position, message)
    if (message.headers === undefined) goodAt.push(position)
  })
  sent.push(...positions)
  return positions
}

function good(number: number): Message {
  return { value: run.encode(eventFor({ name: 'passpassport', docType: null }, number + 1)) }
}

function json(changes: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(JSON.stringify({ ...EVENT, ...changes }))
}

function withId(avro: Buffer, id: number): Buffer {
  const bytes = Buffer.from(avro)
  bytes.writeInt32BE(id, 1)
  return bytes
}

async function schemaId(subject: string): Promise<number> {
  const answer = await fetch(`${inject('registryUrl')}/subjects/${subject}/versions/latest`)
  return ((await answer.json()) as { id: number }).id
}

/** `topics create` copies the size limit of the input topic to the dead-letter topic. */
async function createWideInput({ topics }: Environment): Promise<void> {
  const configEntries = [{ name: 'max.message.bytes', value: String(6 * MEGABYTE) }]
  await createTopics([{ topic: topics.input, configEntries }])
}
