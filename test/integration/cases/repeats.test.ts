/** A second callback for a transaction whose first callback came too early. */
import { describe, expect, test } from 'vitest'
import { eventFor } from '../../../dev/harness/events.ts'
import { metricSum } from '../../../dev/harness/service.ts'
import { sourceOf } from '../../support/outputs.ts'
import { startRun } from '../../support/run.ts'

describe.concurrent.each(['exactly-once', 'at-least-once'])('S7: an early callback, %s', (delivery) => {
  test('does not delay the call for the second one, and its own retry copy then counts as the duplicate', async ({
    onTestFinished,
  }) => {
    const run = await startRun({
      partitions: 1,
      settings: { KAFKA_DELIVERY: delivery, DEFER_DELAYS: '3s' },
    })
    onTestFinished(run.close)
    const service = await run.startReplica()
    const counted = async (metric: string) => metricSum(await service.metrics(), metric)
    const early = eventFor({ name: 'notyet', docType: null }, 1)
    const message = { key: early.transactionId, value: run.encode(early) }

    await run.send([message])
    await expect.poll(() => counted('checkresult_deferred_total'), { timeout: 10_000 }).toBe(1)
    const [second] = await run.send([message])
    const behind = await run.sendFresh(10)
    await run.untilOut([second ?? '', ...behind])
    expect(await counted('checkresult_duplicates_total')).toBe(0)

    await expect.poll(() => counted('checkresult_duplicates_total'), { timeout: 10_000 }).toBe(1)
    expect(run.simulator.report().callsByCode).toEqual({ ProcessNotCompleted: 1, Success: 11 })
    expect(await service.stop()).toBe(0)
    const sources = run.results().map((record) => sourceOf(record, run.topics))
    expect(sources).toHaveLength(1 + behind.length)
    expect(new Set(sources)).toEqual(new Set([second, ...behind]))
  })
})
