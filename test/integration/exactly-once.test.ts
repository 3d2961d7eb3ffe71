import { expect, onTestFinished, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { metricSum } from '../../dev/harness/service.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun } from '../support/run.ts'

const EVENTS = 20_000
/** The kinds of the first of every hundred events. The last one is invalid, all others pass. */
const KINDS = ['notyet', 'invalidid', 'failpassport', 'riskmainlandid'] as const

test('each of 20,000 events comes out exactly once, although one of two replicas is killed and restarted', async () => {
  const run = await startRun({
    simulator: { latencyMs: 5, jitterMs: 15 },
    settings: { KAFKA_SESSION_TIMEOUT: '6s' },
  })
  onTestFinished(run.close)
  const [victim, survivor] = await Promise.all([run.startReplica(), run.startReplica()])
  const sent = await run.send(
    Array.from({ length: EVENTS }, (_, number) => {
      const event = eventFor({ name: KINDS[number % 100] ?? 'passhkid2018', docType: null }, number)
      return { key: event.transactionId, value: number % 100 === 99 ? '{' : run.encode(event) }
    }),
  )

  await run.outputs.until(() => run.outputs.records.length >= EVENTS / 3)
  expect(metricSum(await victim.metrics(), 'checkresult_results_total')).toBeGreaterThan(0)
  victim.signal('SIGKILL')
  await victim.exited
  expect(run.outputs.records.length).toBeLessThan(EVENTS)
  const restarted = await run.startReplica()

  await run.untilOut(sent)
  expect(metricSum(await survivor.metrics(), 'checkresult_results_total')).toBeGreaterThan(0)
  expect(await restarted.stop()).toBe(0)
  expect(await survivor.stop()).toBe(0)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  expect(run.deadLetters()).toHaveLength(EVENTS / 50)
})
