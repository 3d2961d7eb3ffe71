/**
 * Outputs that the brokers reject. Permanent rejections are replaced by smaller outputs. Others wait for an operator.
 */
import { randomBytes } from 'node:crypto'
import { readFile, readdir, readlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Message } from 'kafkajs'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import type { Environment } from '../../../dev/harness/environment.ts'
import { eventFor } from '../../../dev/harness/events.ts'
import { metricSum, type ServiceProcess } from '../../../dev/harness/service.ts'
import { FEW_ARENAS, SMALL_HEAP } from '../../../dev/harness/small-heap.ts'
import { DELIVERIES } from '../../../src/core/delivery.ts'
import { alterTopic, createTopics, type ReadRecord } from '../../support/kafka.ts'
import { EXACTLY_ONCE, header, sourceOf, type Coordinates } from '../../support/outputs.ts'
import { startRun, type Run, type RunOptions } from '../../support/run.ts'

const MAX_BYTES = 100_000
/** Fits into a topic without our headers, but not with them, and gzip does not make it smaller. */
const ALMOST_MAX_BYTES = MAX_BYTES - 300
const CLOCK = fileURLToPath(new URL('../../chaos/clock.ts', import.meta.url))

let number = 0

function event(run: Run, name: string): Pick<Message, 'key' | 'value'> {
  const made = eventFor({ name, docType: null }, (number += 1))
  return { key: made.transactionId, value: run.encode(made) }
}

function ten(run: Run, partition: number): Message[] {
  return Array.from({ length: 10 }, () => ({ ...event(run, 'passpassport'), partition }))
}

async function start(options: RunOptions): Promise<Run> {
  const run = await startRun(options)
  onTestFinished(run.close)
  return run
}

async function createSmallTopics({ topics }: Environment): Promise<void> {
  const { input, result, deadLetter, retryPrefix } = topics
  const configEntries = [{ name: 'max.message.bytes', value: String(MAX_BYTES) }]
  const names = [input, result, deadLetter, `${retryPrefix}.1s`]
  await createTopics(names.map((topic) => ({ topic, numPartitions: 2, configEntries })))
}

function deadLetterOf(run: Run, position: Coordinates | undefined): ReadRecord {
  const found = run.deadLetters().find((record) => sourceOf(record, run.topics) === position)
  if (found === undefined)
    throw new Error(`There is no dead letter for ${position ?? 'an unknown position'}.`)
  return found
}

function facts(record: ReadRecord): Record<string, string | number | null> {
  return {
    reason: header(record, 'checkresult-reason'),
    code: header(record, 'checkresult-code'),
    bytes: record.value?.length ?? null,
    ballast: header(record, 'tracestate').length,
    leftOut: Object.keys(record.headers)
      .filter((name) => name.startsWith('checkresult-left-out-'))
      .join(' '),
  }
}

/** Number of connections between the process and the broker. */
async function connectionsTo({ pid }: ServiceProcess): Promise<number> {
  const [broker = ''] = inject('brokers')
  const port = Number(broker.split(':').at(-1)).toString(16).toUpperCase().padStart(4, '0')
  const table = await readFile(`/proc/${pid}/net/tcp`, 'utf8')
  const established = table.split('\n').filter((line) => new RegExp(`:${port} 01 `).test(line))
  const inodes = new Set(established.map((line) => line.trim().split(/\s+/)[9]))
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
  )
  return links.filter((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1])).length
}

const isLogged = (replica: ServiceProcess, text: string): number => replica.output().split(text).length - 1

describe.each(DELIVERIES)('%s: an output that its topic rejects', (delivery) => {
  test('is replaced by a smaller one, and every later event comes out once', async () => {
    const run = await start({
      partitions: 2,
      beforeTopics: createSmallTopics,
      settings: { KAFKA_DELIVERY: delivery, DEAD_LETTER_LIMIT: 'off' },
    })
    const replica = await run.startReplica()
    const noText = Buffer.concat([Buffer.from('{'), randomBytes(ALMOST_MAX_BYTES)])
    const ballast = { tracestate: randomBytes(MAX_BYTES - 250) }
    const large: Message[] = [
      { key: 'k', value: noText, partition: 0 },
      { ...event(run, 'passpassport'), headers: ballast, partition: 0 },
      { ...event(run, 'notyet'), headers: ballast, partition: 0 },
    ]
    const sent: Coordinates[] = []
    // Sent one by one, because two of them do not fit into one batch.
    for (const message of large) sent.push(...(await run.send([message])))
    sent.push(...(await run.send([...ten(run, 0), ...ten(run, 1)])))
    await run.untilOut(sent)
    const [value, result, retryCopy] = sent
    expect(facts(deadLetterOf(run, value))).toEqual({
      reason: 'undecodable',
      code: expect.any(String),
      bytes: null,
      ballast: 0,
      leftOut: 'checkresult-left-out-value',
    })
    for (const position of [result, retryCopy]) {
      expect(facts(deadLetterOf(run, position))).toEqual({
        reason: 'unwritable',
        code: 'MESSAGE_TOO_LARGE',
        bytes: expect.any(Number),
        ballast: 0,
        leftOut: 'checkresult-left-out-headers',
      })
    }
    expect(run.results()).toHaveLength(20)

    await alterTopic(run.topics.result, { 'max.message.bytes': '100' })
    // The new limit takes effect a moment after the brokers acknowledge it.
    const deadLetters = run.deadLetters().length
    while (run.deadLetters().length === deadLetters) {
      sent.push(...(await run.send([{ ...event(run, 'passpassport'), partition: 1 }])))
      await run.untilOut(sent)
    }
    const refused = await run.send(ten(run, 1))
    await run.untilOut(refused)
    expect(
      new Set(refused.map((position) => header(deadLetterOf(run, position), 'checkresult-reason'))),
    ).toEqual(new Set(['unwritable']))
    await alterTopic(run.topics.result, { 'max.message.bytes': String(MAX_BYTES) })
    const later = await run.send(ten(run, 1))
    await run.untilOut(later)
    expect(await replica.stop()).toBe(0)
    expect(await run.tally([...sent, ...refused, ...later])).toEqual(EXACTLY_ONCE)
  })

  test('a wrong clock blocks the partition with few attempts until it is corrected, and is reported', async () => {
    const run = await start({
      partitions: 2,
      settings: { KAFKA_DELIVERY: delivery, DEAD_LETTER_LIMIT: 'off' },
    })
    await alterTopic(run.topics.deadLetter, { 'message.timestamp.after.max.ms': '60000' })
    const replica = await run.startReplica({}, ['--import', CLOCK])
    replica.signal('SIGWINCH')
    const sent = await run.send([{ key: 'k', value: '{"transactionId":', partition: 0 }])
    await replica.line(/INVALID_TIMESTAMP.*A partition is blocked/)
    const [input, partition, offset] = (sent[0] ?? '').split(':')
    const ready = await fetch(`${replica.opsUrl}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([
      503,
      expect.stringContaining(
        `Partition ${partition} of ${input} is waiting at offset ${offset}: The brokers reject the time`,
      ),
    ])
    const metrics = await replica.metrics()
    expect(metricSum(metrics, 'checkresult_circuit_open{reason="clock"}')).toBe(1)
    expect(metrics).toContain(
      `checkresult_partition_blocked_offset{topic="${input}",partition="0",code="INVALID_TIMESTAMP"} 0`,
    )
    expect(metricSum(metrics, 'checkresult_transactions_total{outcome="failed"}')).toBeLessThan(10)
    replica.signal('SIGWINCH')
    const more = await run.send(ten(run, 1))
    await run.untilOut([...sent, ...more])
    await replica.line(/No partition is blocked for this reason/)
    expect(await replica.stop()).toBe(0)
    expect(isLogged(replica, 'A partition is blocked')).toBe(1)
    expect(await run.tally([...sent, ...more])).toEqual(EXACTLY_ONCE)
  })

  test('does not prevent an orderly exit after SIGTERM', async () => {
    const run = await start({ partitions: 2, settings: { KAFKA_DELIVERY: delivery } })
    await alterTopic(run.topics.deadLetter, { 'message.timestamp.after.max.ms': '60000' })
    const replica = await run.startReplica({}, ['--import', CLOCK])
    replica.signal('SIGWINCH')
    await run.send([{ key: 'k', value: '{"transactionId":', partition: 0 }])
    await replica.line(/A partition is blocked/)
    expect(await replica.stop()).toBe(0)
  })
})

test('a backlog on 64 partitions is drained with the memory of the default container and few connections', async () => {
  const run = await start({
    partitions: 64,
    simulator: { latencyMs: 20 },
    settings: { CHECKRESULT_MAX_IN_FLIGHT: '256', ...FEW_ARENAS },
  })
  const sent = await run.sendFresh(10_000)
  const replica = await run.startReplica({}, SMALL_HEAP)
  expect(await connectionsTo(replica)).toBeLessThanOrEqual(20)
  await run.untilOut(sent)
  expect(await replica.stop()).toBe(0)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
})
