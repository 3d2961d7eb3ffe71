import { describe, expect, test } from 'vitest'
import { textHeader } from '../../../../src/core/records/headers.ts'
import { EVERY_DEAD_LETTER, positionName } from '../../../../src/core/dead-letters/stored-dead-letter.ts'
import { newestDeadLetters } from '../../../../src/cli/dlq/list.ts'
import {
  deadLetterAt,
  factLines,
  factsJson,
  personalJson,
  personalLines,
} from '../../../../src/cli/dlq/show.ts'
import { countDeadLetters } from '../../../../src/cli/dlq/stats.ts'
import { redrive } from '../../../../src/pipeline/dead-letters/redrive.ts'
import { createEventReader, type Reading } from '../../../../src/cli/dlq/event-reader.ts'
import { TransactionFilter, unreadLines } from '../../../../src/cli/dlq/transaction-filter.ts'
import { DeadLetterTopic, FAILED_AT_MS, redriveSink } from '../../../support/dead-letter-topic.ts'
import { headersOf } from '../../../support/headers.ts'

/** The fictitious person whose name must not appear. */
const MARK = 'ZQXJKVPERSON'
const NO_ANSWER: Reading = { kind: 'unread', why: 'no-answer' }
const UNDECODABLE: Reading = { kind: 'undecodable', code: 'malformed-json', message: 'A message of ours.' }

async function putBack(topic: DeadLetterTopic, position: string): Promise<void> {
  await redrive({
    ...topic.source(),
    selection: { ...EVERY_DEAD_LETTER, positions: new Set([position]) },
    maxRedrives: 3,
    target: { sink: redriveSink(topic), inputTopic: 'in', deadLetterTopic: 'dead' },
    signal: new AbortController().signal,
    onProgress: () => undefined,
  })
}

const ALL = { limit: 9, transactions: null }

describe('the newest dead letters', () => {
  test('are returned in order from a large topic, and all others are counted', async () => {
    const topic = new DeadLetterTopic(2)
    // 37 and 100 have no common divisor, so each time occurs once, in no particular order.
    for (let at = 0; at < 100; at += 1) topic.add(at % 2, { failedAtMs: FAILED_AT_MS + ((at * 37) % 100) })
    const { deadLetters, total } = await newestDeadLetters(topic.source(), EVERY_DEAD_LETTER, {
      limit: 5,
      redriven: false,
      transactions: null,
    })
    expect(deadLetters.map(({ failedAtMs }) => failedAtMs - FAILED_AT_MS)).toEqual([99, 98, 97, 96, 95])
    expect(total).toBe(100)
  })

  test('are either the waiting ones or those that were put back, without redrive receipts', async () => {
    const topic = new DeadLetterTopic(1)
    const positions = [topic.add(0), topic.add(0), topic.add(0)]
    await putBack(topic, positions[1] ?? '')
    const waiting = await newestDeadLetters(topic.source(), EVERY_DEAD_LETTER, { ...ALL, redriven: false })
    const gone = await newestDeadLetters(topic.source(), EVERY_DEAD_LETTER, { ...ALL, redriven: true })
    expect(waiting.deadLetters.map(positionName)).toEqual(['0:2', '0:0'])
    expect(gone.deadLetters.map(positionName)).toEqual(['0:1'])
  })

  test('belong to our pipeline; those of other pipelines are counted and named', async () => {
    const topic = new DeadLetterTopic(1)
    topic.add(0)
    const theirs = topic.add(0, { sourceTopic: 'theirs' })
    const found = await newestDeadLetters(topic.source(), EVERY_DEAD_LETTER, { ...ALL, redriven: false })
    expect([found.total, found.deadLetters.map(positionName)]).toEqual([1, ['0:0']])
    expect(found.foreign).toEqual({ total: 1, topics: ['theirs'], positions: [theirs] })
  })
})

const event = (transactionId: string): string =>
  JSON.stringify({ transactionId, merchantBizId: 'biz1', completedAt: FAILED_AT_MS })
const AVRO = Buffer.from([0, 0, 0, 0, 1, 2])

async function listed(topic: DeadLetterTopic, wanted: string | null) {
  const reader = await createEventReader({})
  return newestDeadLetters(topic.source(), EVERY_DEAD_LETTER, {
    limit: 9,
    redriven: false,
    transactions: new TransactionFilter(reader, wanted),
  })
}

describe('transaction ids', () => {
  test('choose the dead letters of one transaction', async () => {
    const topic = new DeadLetterTopic(1)
    topic.add(0, { value: Buffer.from(event('id1')) })
    topic.add(0, { value: Buffer.from(event('id2')) })
    const { deadLetters, total, unread } = await listed(topic, 'id2')
    expect(deadLetters.map((one) => [positionName(one), one.transactionId])).toEqual([['0:1', 'id2']])
    expect([total, unread]).toEqual([1, { invalid: 0, noRegistry: 0, noAnswer: 0 }])
  })

  test('come from the key of an event that cannot be read; the others are counted by cause', async () => {
    const topic = new DeadLetterTopic(1)
    topic.add(0, { key: Buffer.from('id1'), value: Buffer.from('{') })
    topic.add(0, { key: Buffer.from('id2'), value: Buffer.from('{') })
    topic.add(0, { value: AVRO })
    const { deadLetters, unread } = await listed(topic, 'id1')
    expect(deadLetters.map((one) => [positionName(one), one.transactionId])).toEqual([['0:0', null]])
    expect(unread).toEqual({ invalid: 1, noRegistry: 1, noAnswer: 0 })
    expect(unreadLines(unread ?? { invalid: 0, noRegistry: 0, noAnswer: 0 })).toEqual([
      'The transaction of 2 events cannot be read: 1 invalid; 1 in Avro, and SCHEMA_REGISTRY_URL is not set.',
    ])
  })

  test('are shown for all, without what a terminal would obey', async () => {
    const topic = new DeadLetterTopic(1)
    topic.add(0, { value: Buffer.from(event('id\u009b2J\u202e')) })
    topic.add(0, { value: AVRO })
    const { deadLetters } = await listed(topic, null)
    expect(deadLetters.map(({ transactionId }) => transactionId)).toEqual([null, 'id?2J?'])
  })
})

test('dead letters are counted by reason and code, apart from redriven ones and records of others', async () => {
  const topic = new DeadLetterTopic(2)
  topic.add(0, { failedAtMs: FAILED_AT_MS + 7 })
  topic.add(1, { redrives: 3 })
  topic.add(1, { reason: 'rejected', code: 'TransactionIdInvalid' })
  topic.append(0, {}, [])
  topic.add(1, { sourceTopic: 'theirs' })
  await putBack(topic, topic.add(0))
  expect(await countDeadLetters(topic.source(), EVERY_DEAD_LETTER, 3)).toEqual({
    groups: [
      {
        reason: 'undecodable',
        code: 'malformed-json',
        waiting: 2,
        atLimit: 1,
        oldestMs: FAILED_AT_MS,
        newestMs: FAILED_AT_MS + 7,
      },
      {
        reason: 'rejected',
        code: 'TransactionIdInvalid',
        waiting: 1,
        atLimit: 0,
        oldestMs: FAILED_AT_MS,
        newestMs: FAILED_AT_MS,
      },
    ],
    waiting: 3,
    redriven: 1,
    other: 1,
    foreign: { total: 1, topics: ['theirs'], positions: ['1:2'] },
  })
})

async function shown(value: Buffer | null, decoded: Reading = UNDECODABLE) {
  const topic = new DeadLetterTopic(1)
  topic.add(0, { key: Buffer.from(MARK), value, own: headersOf({ [MARK]: [MARK, null] }) })
  const found = await deadLetterAt(topic.source(), { partition: 0, offset: 0n })
  return { facts: factLines(found, decoded).join('\n'), personal: personalLines(found, decoded).join('\n') }
}

describe('a shown dead letter', () => {
  test('prints its cause and its size, and nothing personal', async () => {
    const { facts } = await shown(Buffer.from(`{"${MARK}`))
    expect(facts).toMatch(/^code +malformed-json$/m)
    expect(facts).toMatch(/^readable +no \(malformed-json\): A message of ours\.$/m)
    expect(facts).toMatch(/^earlier redrives +0$/m)
    expect(facts).toMatch(/^put back +no$/m)
    expect(facts).toMatch(/^value +14 bytes$/m)
    expect(facts).not.toContain(MARK)
  })

  test('says that its schema is unknown if the registry did not answer', async () => {
    const { facts } = await shown(Buffer.from([0, 0, 0, 0, 1, 2]), NO_ANSWER)
    expect(facts).toMatch(/^readable +unknown: the schema registry does not answer$/m)
    const avro = await shown(Buffer.from([0, 0, 0, 0, 1, 2]), { kind: 'unread', why: 'no-registry' })
    expect(avro.facts).toMatch(/^readable +unknown: the value is Avro, and SCHEMA_REGISTRY_URL is not set$/m)
  })

  test('has key, own headers and JSON unchanged if the content is requested', async () => {
    const { personal } = await shown(Buffer.from(`{"${MARK}`))
    expect(personal).toBe(
      `\nkey: ${MARK}\nown headers:\n  "${MARK}": ${MARK}\n  "${MARK}": null\nvalue:\n{"${MARK}`,
    )
  })

  test('has base64 if the content is binary or contains terminal control characters', async () => {
    const escape = Buffer.from('{\u001b[2J')
    expect((await shown(escape)).personal).toContain(`value:\nbase64 ${escape.toString('base64')}`)
    for (const harmful of ['\u0085', '\u202e', '\u2028', 'overwritten\rby this']) {
      expect((await shown(Buffer.from(`{${harmful}`))).personal).toContain('value:\nbase64 ')
    }
    const windows = '{\r\n\t"a": 1\r\n}'
    expect((await shown(Buffer.from(windows))).personal).toContain(windows)
    const avro = Buffer.from([0, 0, 0, 0, 1, 2])
    expect((await shown(avro, NO_ANSWER)).personal).toContain('value:\nbase64 AAAAAAEC')
    expect((await shown(null)).personal).toContain('value:\nnone')
  })

  test('names its pipeline and the missing parts of its event', async () => {
    const topic = new DeadLetterTopic(1)
    topic.add(0, { sourceTopic: 'theirs', leftOut: [textHeader('checkresult-left-out-value', '9 bytes')] })
    const found = await deadLetterAt(topic.source(), { partition: 0, offset: 0n })
    const facts = factLines(found, NO_ANSWER).join('\n')
    expect(facts).toMatch(/^pipeline +another one/m)
    expect(facts).toMatch(/^left out +value/m)
  })

  test('is the same in JSON', async () => {
    const topic = new DeadLetterTopic(1)
    topic.add(0, {
      key: Buffer.from(MARK),
      value: Buffer.from([0xff, 1]),
      own: headersOf({ trace: [MARK, null] }),
    })
    const found = await deadLetterAt(topic.source(), { partition: 0, offset: 0n })
    const facts = factsJson(found, UNDECODABLE)
    expect(facts).toMatchObject({
      position: '0:0',
      reason: 'undecodable',
      foreign: false,
      redriven: false,
      keyBytes: MARK.length,
      valueBytes: 2,
      ownHeaders: 2,
      readable: false,
      unreadable: { code: 'malformed-json', message: 'A message of ours.' },
    })
    expect(JSON.stringify(facts)).not.toContain(MARK)
    expect(factsJson(found, NO_ANSWER)).toMatchObject({ readable: null, unreadable: { code: 'no-answer' } })
    expect(personalJson(found, UNDECODABLE)).toEqual({
      key: MARK,
      headers: [
        { name: 'trace', value: MARK },
        { name: 'trace', value: null },
      ],
      value: { base64: '/wE=' },
      event: null,
    })
  })

  test('must exist', async () => {
    const topic = new DeadLetterTopic(1)
    topic.append(0, {}, [])
    await expect(deadLetterAt(topic.source(), { partition: 0, offset: 0n })).rejects.toThrow(
      'There is no dead letter at 0:0: run `dlq list` for the positions.',
    )
  })
})
