/** Changed partition logs: a topic that was recreated, deleted records, a group without offsets. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { metricSum, type ServiceProcess } from '../../../dev/harness/service.ts'
import { DELIVERIES } from '../../../src/core/delivery.ts'
import { connectTo } from '../../support/kafka.ts'
import { decodeResult } from '../../support/outputs.ts'
import { startRun, type Run } from '../../support/run.ts'

const PARTITIONS = 2
const EVENTS = 100

/** The transaction ids of the results, with repetitions. */
function cameOut(run: Run): string[] {
  return run.results().map((record) => decodeResult(record).transactionId)
}

/** Resolves when there are this many new results, none of them twice. */
async function untilOut(run: Run, count: number): Promise<void> {
  await run.outputs.until(() => run.results().length >= count)
  const all = cameOut(run)
  expect({ results: all.length, transactions: new Set(all).size }).toEqual({
    results: count,
    transactions: count,
  })
}

/** The first log line with this message. */
async function logged(replica: ServiceProcess, message: string): Promise<unknown> {
  const [line] = await replica.line(new RegExp(`^.*${message}.*$`))
  return JSON.parse(line)
}

async function createAgain(run: Run): Promise<void> {
  const { input } = run.topics
  const admin = connectTo().admin()
  await admin.connect()
  try {
    await admin.deleteTopics({ topics: [input] })
    const create = (): Promise<boolean> =>
      admin.createTopics({ topics: [{ topic: input, numPartitions: PARTITIONS }], waitForLeaders: false })
    // Retry, because the old topic may not be deleted yet.
    while (!(await create().catch(() => false))) await delay(50)
  } finally {
    await admin.disconnect()
  }
}

async function deleteRecords(run: Run, before: number): Promise<void> {
  const admin = connectTo().admin()
  await admin.connect()
  try {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
      partition,
      offset: String(before),
    }))
    // kafkajs must load the metadata of the topic first.
    await admin.fetchTopicOffsets(run.topics.input)
    await admin.deleteTopicRecords({ topic: run.topics.input, partitions })
  } finally {
    await admin.disconnect()
  }
}

describe.concurrent.each(DELIVERIES)('%s', (delivery) => {
  test('S15: every event in a recreated topic comes out, even if the new topic is longer than the old one', async ({
    onTestFinished,
  }) => {
    const run = await startRun({ partitions: PARTITIONS, settings: { KAFKA_DELIVERY: delivery } })
    onTestFinished(run.close)
    const replica = await run.startReplica()
    await run.sendFresh(EVENTS)
    await untilOut(run, EVENTS)

    await createAgain(run)
    await run.sendFresh(EVENTS)
    await untilOut(run, 2 * EVENTS)
    expect(await logged(replica, 'The log of these partitions was replaced or truncated')).toMatchObject({
      topic: run.topics.input,
      level: 'error',
    })

    await createAgain(run)
    await run.sendFresh(2 * EVENTS)
    await untilOut(run, 4 * EVENTS)
    expect(await replica.stop()).toBe(0)
  })

  test('S16 and S2: deleted offsets are counted, and a group without offsets logs what it will read', async ({
    onTestFinished,
  }) => {
    const run = await startRun({ partitions: PARTITIONS, settings: { KAFKA_DELIVERY: delivery } })
    onTestFinished(run.close)
    const first = await run.startReplica()
    await run.sendFresh(EVENTS)
    await untilOut(run, EVENTS)
    expect(await first.stop()).toBe(0)

    await run.sendFresh(EVENTS)
    await deleteRecords(run, 80)
    const second = await run.startReplica()
    await untilOut(run, EVENTS + 40)
    expect(await logged(second, 'Records were deleted before the service had processed them')).toMatchObject({
      topic: run.topics.input,
      offset: '50',
      count: 30,
    })
    expect(metricSum(await second.metrics(), 'checkresult_offsets_lost_total')).toBe(60)
    expect(await second.stop()).toBe(0)

    const latest = { KAFKA_GROUP_ID: `${run.environment.groupId}-latest`, KAFKA_START_OFFSET: 'latest' }
    const third = await run.startReplica(latest)
    expect(await logged(third, 'no committed offset .* the service skips')).toMatchObject({ count: 40 })
    await run.sendFresh(EVENTS)
    await untilOut(run, 2 * EVENTS + 40)
    expect(await third.stop()).toBe(0)

    const fourth = await run.startReplica({ KAFKA_GROUP_ID: `${run.environment.groupId}-new` })
    expect(await logged(fourth, 'no committed offset .* the service reads')).toMatchObject({
      topic: run.topics.input,
      count: 140,
    })
    await run.outputs.until(() => run.results().length === 2 * EVENTS + 40 + 140)
  })
})
