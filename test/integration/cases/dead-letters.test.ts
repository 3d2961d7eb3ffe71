/**
 * How dead letters are reported, and how the commands treat those of other pipelines and those that cannot be
 * redriven.
 */
import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { runCommand, type Finished } from '../../../dev/harness/commands.ts'
import { prepareEnvironment } from '../../../dev/harness/environment.ts'
import { eventFor } from '../../../dev/harness/events.ts'
import type { ServiceProcess } from '../../../dev/harness/service.ts'
import { BrokerConnection } from '../../fuzz/broker.ts'
import { followOutputs } from '../../fuzz/reader.ts'
import { encodeBatch, type BatchRecord, type Header, type StoredRecord } from '../../fuzz/record-batch.ts'
import { alterTopic } from '../../support/kafka.ts'
import { newEnvironment, startRun } from '../../support/run.ts'

/** The fictitious person whose name must not appear. */
const MARK = 'ZQXJKVPERSON'

describe.concurrent.each(['exactly-once', 'at-least-once'])('S6: dead letters, %s', (delivery) => {
  test('give one log line per reason and minute: the first at once, the rest when the service stops', async ({
    onTestFinished,
  }) => {
    const run = await startRun({
      partitions: 1,
      settings: { KAFKA_DELIVERY: delivery, DEAD_LETTER_LIMIT: 'off' },
    })
    onTestFinished(run.close)
    const service = await run.startReplica()
    const broken = { key: MARK, value: `{${MARK}`, headers: { own: MARK } }
    const refused = { value: run.encode(eventFor({ name: 'invalidid', docType: null }, 1)) }
    const first = await run.send([broken, refused])
    await run.untilOut(first)
    await Promise.all([service.line(/"reason":"undecodable"/), service.line(/"reason":"rejected"/)])
    expect(noticesOf(service)).toEqual([
      { reason: 'undecodable', code: 'malformed-json', count: 1, at: first[0] },
      { reason: 'rejected', code: 'TransactionIdInvalid', count: 1, at: first[1] },
    ])
    const more = await run.send(Array.from({ length: 30 }, () => broken))
    await run.untilOut(more)
    expect(noticesOf(service)).toHaveLength(2)
    expect(await service.stop()).toBe(0)
    expect(noticesOf(service).slice(2)).toEqual([
      { reason: 'undecodable', code: 'malformed-json', count: 30, at: more[0] },
    ])
    expect(service.output()).toContain('`npm start -- dlq list --reason undecodable`')
    expect(service.output()).not.toContain(MARK)
  })
})

describe('R3 and S11: "dlq redrive"', () => {
  const GOOD = 120
  const STRANGE: readonly Header[] = [
    ['of nothing', null],
    ['twice', Buffer.from([1])],
    ['twice', null],
    ['constructor', Buffer.from('a')],
    ['__proto__', Buffer.from('b')],
  ]
  const own = newEnvironment()
  const { input, deadLetter } = own.topics

  beforeAll(async () => {
    await prepareEnvironment(own, 1)
    await alterTopic(input, { 'max.message.bytes': String(300_000) })
    const middle = GOOD / 2
    const good = Array.from({ length: GOOD }, (_, at) => deadLetterOf(input, `{${at}`))
    await write(deadLetter, [
      deadLetterOf('theirs', 'their own'),
      ...good.slice(0, middle),
      deadLetterOf(input, randomBytes(300_000).toString('hex')),
      deadLetterOf(input, 'strange', STRANGE),
      deadLetterOf(input, null, [['checkresult-left-out-value', Buffer.from('9000000 bytes, sha256 00')]]),
      ...good.slice(middle),
    ])
  })

  async function dlq(...args: readonly string[]): Promise<Finished & { readonly json: Report }> {
    const finished = await runCommand(['dlq', ...args, '--json'], own.env)
    return { ...finished, json: JSON.parse(finished.stdout) as Report }
  }

  test('neither lists nor counts dead letters of another pipeline, but reports them', async () => {
    const [list, stats, dry] = await Promise.all([dlq('list'), dlq('stats'), dlq('redrive')])
    const foreign = { total: 1, topics: ['theirs'], positions: ['0:0'] }
    expect([list.json.foreign, stats.json.foreign, dry.json.foreign]).toEqual([foreign, foreign, foreign])
    expect([list.json.total, stats.json.waiting]).toEqual([GOOD + 3, GOOD + 3])
    expect(dry.json.groups?.[0]).toMatchObject({ wouldRedrive: GOOD + 2, incomplete: 1 })
  })

  test('redrives all others once and byte for byte, and reports those that cannot be redriven', async () => {
    for (const redriven of [GOOD + 1, 0]) {
      const { code, stderr, json } = await dlq('redrive', '--execute')
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining('1 dead letter could not be redriven'),
      })
      expect(json.groups?.[0]).toMatchObject({ redriven, refused: 1, incomplete: 1 })
      expect(json.cannotRedrive).toEqual(
        expect.arrayContaining([
          {
            position: `0:${GOOD / 2 + 1}`,
            source: `${input}:0:7`,
            why: { kind: 'refused', code: 'MESSAGE_TOO_LARGE' },
          },
          {
            position: `0:${GOOD / 2 + 3}`,
            source: `${input}:0:7`,
            why: { kind: 'incomplete', leftOut: ['value'] },
          },
        ]),
      )
    }
    const back = await readAll(input)
    const good = Array.from({ length: GOOD }, (_, at) => `{${at}`)
    expect(back.map(({ value }) => String(value)).toSorted()).toEqual([...good, 'strange'].toSorted())
    const strange = back.find(({ value }) => String(value) === 'strange')
    expect(strange?.headers).toEqual([...STRANGE, ['checkresult-redrives', Buffer.from('1')]])
  })
})

interface Report {
  readonly total?: number
  readonly waiting?: number
  readonly groups?: readonly object[]
  readonly cannotRedrive?: readonly object[]
  readonly foreign: object
}

/** A dead letter as the service writes it, of an event from this topic. */
function deadLetterOf(topic: string, value: string | null, own: readonly Header[] = []): BatchRecord {
  const ours = {
    'checkresult-reason': 'undecodable',
    'checkresult-code': 'malformed-json',
    'checkresult-failed-at': '2026-01-01T00:00:00.000Z',
    '__connect.errors.topic': topic,
    '__connect.errors.partition': '0',
    '__connect.errors.offset': '7',
  }
  return {
    timestampMs: BigInt(Date.now()),
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers: [...own, ...Object.entries(ours).map(([name, text]): Header => [name, Buffer.from(text)])],
  }
}

async function write(topic: string, records: readonly BatchRecord[]): Promise<void> {
  const connection = await BrokerConnection.open(inject('brokers')[0] ?? '')
  try {
    for (const record of records) {
      const batch = encodeBatch([record], { codec: 'none', transaction: null })
      const [produced] = await connection.produce(topic, [{ partition: 0, batch }], null)
      expect(produced?.kind).toBe('stored')
    }
  } finally {
    connection.close()
  }
}

async function readAll(topic: string): Promise<readonly StoredRecord[]> {
  const records: StoredRecord[] = []
  const reader = await followOutputs({
    broker: inject('brokers')[0] ?? '',
    topics: [topic],
    partitions: 1,
    onRecord: (_, record) => void records.push(record),
  })
  await reader.untilCaughtUp()
  await reader.close()
  return records
}

function noticesOf(service: ServiceProcess): object[] {
  return service
    .output()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ message }) => /became (a )?dead letter/.test(String(message)))
    .map(({ reason, code, count, topic, partition, offset }) => ({
      reason,
      code,
      count,
      at: `${String(topic)}:${String(partition)}:${String(offset)}`,
    }))
}
