import kafkajs from 'kafkajs'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { metricSum } from '../../dev/harness/service.ts'
import { deny } from '../support/deny.ts'
import { loginSettings } from '../support/login-listener.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun, startService, type Run, type RunOptions } from '../support/run.ts'

const EVENTS = 6_000
/** The kinds of the first of every hundred events: one is deferred, one rejected, one failed. All others pass. */
const KINDS = ['notyet', 'invalidid', 'failpassport'] as const

describe('at-least-once delivery', () => {
  test('loses nothing if a replica is killed, and repeats only records that were being processed', async () => {
    const run = await startAtLeastOnce({
      simulator: { latencyMs: 5, jitterMs: 15 },
      settings: { KAFKA_SESSION_TIMEOUT: '6s' },
    })
    const [victim, survivor] = await Promise.all([run.startReplica(), run.startReplica()])
    const sent = await run.send(events(run, EVENTS))
    await run.outputs.until(() => run.outputs.records.length >= EVENTS / 3)
    victim.signal('SIGKILL')
    await victim.exited
    expect(run.outputs.records.length).toBeLessThan(EVENTS)

    await run.untilOut(sent)
    const metrics = await survivor.metrics()
    expect(metricSum(metrics, 'checkresult_publishes_total{outcome="acknowledged"}')).toBeGreaterThan(0)
    expect(metricSum(metrics, 'checkresult_offset_commits_total{outcome="committed"}')).toBeGreaterThan(0)
    expect(metricSum(metrics, 'checkresult_transactions_total')).toBe(0)
    expect(await survivor.stop()).toBe(0)
    const { lost, strange, repeated } = await run.tally(sent)
    expect({ lost, strange }).toEqual({ lost: [], strange: [] })
    // The events that one replica can have written without committing their offsets.
    expect(repeated.length).toBeLessThan(EVENTS / 3)
  })

  test('loses and repeats nothing after SIGTERM under load', async () => {
    const run = await startAtLeastOnce({ simulator: { latencyMs: 50, jitterMs: 50 } })
    const stopped = await run.startReplica()
    const sent = await run.send(events(run, EVENTS))
    await run.outputs.until(() => run.outputs.records.length >= EVENTS / 3)
    expect(await stopped.stop()).toBe(0)
    expect(run.outputs.records.length).toBeLessThan(EVENTS)

    const restarted = await run.startReplica()
    await run.untilOut(sent)
    expect(await restarted.stop()).toBe(0)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  })

  test('needs no right to use transactions', async () => {
    const user = 'without_transactions'
    await deny(user, kafkajs.AclResourceTypes.TRANSACTIONAL_ID, '*')
    const run = await startAtLeastOnce({ settings: loginSettings(inject('loginBroker'), user) })
    const sent = await run.send(events(run, 100))
    const replica = await run.startReplica()
    await run.untilOut(sent)
    expect(await replica.stop()).toBe(0)

    const { env } = run.environment
    const other = await startService({ ...env, KAFKA_DELIVERY: 'exactly-once' })
    await other.line(/TRANSACTIONAL_ID_AUTHORIZATION_FAILED.*A partition is blocked/)
  })
})

async function startAtLeastOnce(options: RunOptions): Promise<Run> {
  const run = await startRun({
    ...options,
    settings: { KAFKA_DELIVERY: 'at-least-once', ...options.settings },
  })
  onTestFinished(run.close)
  return run
}

function events(run: Run, count: number): { key: string; value: Buffer }[] {
  return Array.from({ length: count }, (_, number) => {
    const event = eventFor({ name: KINDS[number % 100] ?? 'passhkid2018', docType: null }, number)
    return { key: event.transactionId, value: run.encode(event) }
  })
}
