/** Metrics and log lines about partitions without progress: paused ones, and those behind an open transaction. */
import { describe, expect, inject, test } from 'vitest'
import { metricSum, type ServiceProcess } from '../../../dev/harness/service.ts'
import { DELIVERIES } from '../../../src/core/delivery.ts'
import { API, startKafkaProxy } from '../../support/kafka-proxy.ts'
import { connectTo, uniqueName } from '../../support/kafka.ts'
import { startRun } from '../../support/run.ts'
import { until } from '../../support/until.ts'

/** Two scrapes, and some tolerance for a busy machine. */
const SEEN_WITHIN_MS = 20_000
const LAG = 'checkresult_consumer_lag_records'

async function untilMetric(replica: ServiceProcess, name: string, holds: (value: number) => boolean) {
  let value = 0
  const read = async (): Promise<boolean> => {
    value = metricSum(await replica.metrics(), name)
    return holds(value)
  }
  await until(read, { what: () => `${name} is ${value}`, timeoutMs: SEEN_WITHIN_MS })
}

describe.concurrent('lag', () => {
  test('S13: follows the end offsets of the topic while all partitions are paused', async ({
    onTestFinished,
  }) => {
    const run = await startRun({ partitions: 2, settings: { CHECKRESULT_QPS: '2' } })
    onTestFinished(run.close)
    const replica = await run.startReplica()
    await run.sendFresh(2_000)
    await untilMetric(replica, LAG, (lag) => lag > 1_800)
    await run.sendFresh(1_000)
    await expect(untilMetric(replica, LAG, (lag) => lag > 2_800)).resolves.toBeUndefined()
  })

  test('S17: a leader that does not answer is reported, and processing continues when it does', async ({
    onTestFinished,
  }) => {
    const proxied = { isSilent: false }
    const proxy = await startKafkaProxy(inject('brokers')[0] ?? '', ({ apiKey }) =>
      proxied.isSilent && (apiKey === API.fetch || apiKey === API.listOffsets) ? 'ignore' : 'pass',
    )
    onTestFinished(proxy.close)
    const settings = { KAFKA_BROKERS: proxy.broker, KAFKA_SESSION_TIMEOUT: '6s' }
    const run = await startRun({ partitions: 1, settings })
    onTestFinished(run.close)
    const replica = await run.startReplica()
    await run.untilOut(await run.sendFresh(1))
    proxied.isSilent = true
    const behind = await run.sendFresh(10)
    await replica.line(/"message":"The leader of these partitions does not answer/)
    const silent = `checkresult_partition_leader_silent_seconds{topic="${run.topics.input}",partition="0"}`
    expect(metricSum(await replica.metrics(), silent)).toBeGreaterThan(10)
    const ready = await fetch(`${replica.opsUrl}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining(run.topics.input)])
    proxied.isSilent = false
    await run.untilOut(behind)
    await replica.line(/"message":"The leader of these partitions answers again/)
  })

  test.for(DELIVERIES)(
    'S14: counts records behind an open transaction, and reports the transaction and its age (%s)',
    async (delivery, { onTestFinished }) => {
      const run = await startRun({ partitions: 1, settings: { KAFKA_DELIVERY: delivery } })
      onTestFinished(run.close)
      const replica = await run.startReplica()
      const before = await run.sendFresh(1)
      await run.untilOut(before)

      const producer = connectTo().producer({
        transactionalId: uniqueName('left-open'),
        transactionTimeout: 60_000,
      })
      onTestFinished(async () => producer.disconnect())
      await producer.connect()
      const open = await producer.transaction()
      await open.send({ topic: run.topics.input, messages: [{ value: 'not an event', partition: 0 }] })
      const behind = await run.sendFresh(100)
      await untilMetric(replica, LAG, (lag) => lag >= 101)
      await replica.line(/"message":"An open transaction of a producer blocks records/)
      expect(metricSum(await replica.metrics(), 'checkresult_open_transaction_seconds')).toBeGreaterThan(10)
      const ready = await fetch(`${replica.opsUrl}/readyz`)
      expect({ status: ready.status, body: await ready.text() }).toEqual({
        status: 200,
        body: `ok\nAn open transaction of a producer blocks ${run.topics.input} [0].\n`,
      })

      await open.abort()
      await run.untilOut(behind)
      await replica.line(/"message":"The open transaction has ended/)
      expect(await replica.metrics()).not.toContain('checkresult_open_transaction_seconds{')
    },
  )
})
