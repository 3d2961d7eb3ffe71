/**
 * Records that are hard to copy or read: unusual headers, and values that would fill the memory once decompressed.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { eventFor } from '../../../dev/harness/events.ts'
import type { ServiceProcess } from '../../../dev/harness/service.ts'
import { FEW_ARENAS, SMALL_HEAP } from '../../../dev/harness/small-heap.ts'
import { DELIVERIES } from '../../../src/core/delivery.ts'
import { BrokerConnection } from '../../fuzz/broker.ts'
import { followOutputs } from '../../fuzz/reader.ts'
import { encodeBatch, type BatchRecord, type Header, type StoredRecord } from '../../fuzz/record-batch.ts'
import { blanksBatch } from '../../support/batches.ts'
import { createTopics } from '../../support/kafka.ts'
import { EXACTLY_ONCE, header, type Coordinates } from '../../support/outputs.ts'
import { startRun, type Run } from '../../support/run.ts'

let number = 0

function event(run: Run, name: string): { key: string; value: Buffer } {
  const made = eventFor({ name, docType: null }, (number += 1))
  return { key: made.transactionId, value: run.encode(made) }
}

function ten(run: Run, partition: number) {
  return Array.from({ length: 10 }, () => ({ ...event(run, 'passpassport'), partition }))
}

async function connection(): Promise<BrokerConnection> {
  const opened = await BrokerConnection.open(inject('brokers')[0] ?? '')
  onTestFinished(() => opened.close())
  return opened
}

async function sendBatch(run: Run, partition: number, batch: Buffer): Promise<bigint> {
  const broker = await connection()
  const [produced] = await broker.produce(run.topics.input, [{ partition, batch }], null)
  if (produced?.kind !== 'stored')
    throw new Error(`The broker rejected the batch with code ${produced?.code ?? 'none'}.`)
  return produced.baseOffset
}

async function committed(topics: readonly string[]): Promise<Map<string, StoredRecord[]>> {
  const found = new Map(topics.map((topic): [string, StoredRecord[]] => [topic, []]))
  const reader = await followOutputs({
    broker: inject('brokers')[0] ?? '',
    topics,
    partitions: 1,
    onRecord: (topic, record) => void found.get(topic)?.push(record),
  })
  await reader.untilCaughtUp()
  await reader.close()
  return found
}

const bytes = (...all: number[]): Buffer => Buffer.from(all)

/**
 * Headers that a copy could lose: null values, repeated names, names of JavaScript's own properties, bytes that are
 * not text, their order.
 */
const STRANGE: readonly Header[] = [
  ['z', bytes(1)],
  ['nothing', null],
  ['traceparent', null],
  ['twice', bytes(2)],
  ['constructor', bytes(3)],
  ['twice', null],
  ['__proto__', bytes(4)],
  ['toString', null],
  ['', bytes(5)],
  ['tracestate', bytes(255, 254)],
  ['twice', bytes(6)],
  // One character per byte: a name in UTF-8, and one that is not.
  [Buffer.from('Ünïcode 名').toString('latin1'), bytes()],
  ['\u00ff\u00fe', bytes(8)],
  ['a', bytes(7)],
]
const OURS = /^(checkresult-|__connect\.errors\.)/

describe.concurrent.each(DELIVERIES)('R1 and R2: unusual headers, %s', (delivery) => {
  test('are copied unchanged, and later records come out', async ({ onTestFinished: whenFinished }) => {
    const run = await startRun({
      partitions: 1,
      settings: { KAFKA_DELIVERY: delivery, DEAD_LETTER_LIMIT: 'off' },
    })
    whenFinished(run.close)
    const stored = (made: { key: string; value: Buffer }): BatchRecord => ({
      timestampMs: BigInt(Date.now()),
      key: Buffer.from(made.key),
      value: made.value,
      headers: STRANGE,
    })
    const broken = { key: 'broken', value: Buffer.from('{') }
    const records = [event(run, 'notyet'), broken, event(run, 'passpassport')].map(stored)
    const base = await sendBatch(run, 0, encodeBatch(records, { codec: 'none', transaction: null }))
    const strange = records.map((_, at): Coordinates => `${run.topics.input}:0:${base + BigInt(at)}`)
    const behind = await run.send(ten(run, 0))
    const replica = await run.startReplica()
    await run.untilOut([...strange, ...behind])
    const retry = `${run.topics.retryPrefix}.1s`
    const { result, deadLetter } = run.topics
    const found = await committed([retry, deadLetter, result])
    for (const topic of [retry, deadLetter]) {
      const copy = found.get(topic)?.find(({ headers }) => headers.some(([name]) => name === 'z'))
      expect(copy?.headers.filter(([name]) => !OURS.test(name))).toEqual(STRANGE)
    }
    const traced = found.get(result)?.filter(({ headers }) => headers.length > 0)
    const tracing = STRANGE.filter(([name]) => name.startsWith('trace'))
    expect(traced?.map(({ headers }) => headers)).toEqual([tracing, tracing])
    expect(await replica.stop()).toBe(0)
    expect(await run.tally([...strange, ...behind])).toEqual(EXACTLY_ONCE)
  })
})

const BOMBS = [
  ['zstd', 200],
  ['gzip', 100],
  ['lz4', 100],
  ['snappy', 50],
] as const
const MAX_BYTES = 16 * 1024 * 1024
const CONTAINER_MB = 256

describe.each(DELIVERIES)('R13: a value that is small only if compressed, %s', (delivery) => {
  test('becomes a dead letter without the value, in a small container, with every codec', async () => {
    const run = await startRun({
      partitions: BOMBS.length,
      settings: { KAFKA_DELIVERY: delivery, DEAD_LETTER_LIMIT: 'off', ...FEW_ARENAS },
      beforeTopics: async ({ topics }) => {
        const configEntries = [{ name: 'max.message.bytes', value: String(MAX_BYTES) }]
        const names = [topics.input, topics.deadLetter, `${topics.retryPrefix}.1s`]
        await createTopics(names.map((topic) => ({ topic, numPartitions: BOMBS.length, configEntries })))
      },
    })
    onTestFinished(run.close)
    const bombs: Coordinates[] = []
    for (const [partition, [codec, megabytes]] of BOMBS.entries()) {
      const offset = await sendBatch(run, partition, await blanksBatch(codec, megabytes))
      bombs.push(`${run.topics.input}:${partition}:${offset}`)
    }
    const behind = await run.send(BOMBS.flatMap((_, partition) => ten(run, partition)))
    const replica = await run.startReplica({}, SMALL_HEAP)
    await run.untilOut([...bombs, ...behind])
    expect(peakMegabytes(replica)).toBeLessThan(CONTAINER_MB)
    expect(await replica.stop()).toBe(0)
    expect(await run.tally([...bombs, ...behind])).toEqual(EXACTLY_ONCE)
    for (const [partition, [, megabytes]] of BOMBS.entries()) {
      const deadLetter = run
        .deadLetters()
        .find((one) => header(one, '__connect.errors.partition') === `${partition}`)
      expect(deadLetter?.value).toBeNull()
      expect(header(deadLetter ?? { headers: {} }, 'checkresult-code')).toBe('value-too-large')
      expect(header(deadLetter ?? { headers: {} }, 'checkresult-left-out-value')).toMatch(
        new RegExp(`^${megabytes * 1024 * 1024} bytes, sha256 [0-9a-f]{64}$`),
      )
      expect(replica.output()).toMatch(
        new RegExp(`"partition":${partition},"offset":"0".*too large to keep in memory`),
      )
    }
  })
})

/** Peak resident memory by the kernel's count. */
function peakMegabytes({ pid }: ServiceProcess): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}
