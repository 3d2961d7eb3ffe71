import { expect, onTestFinished, test } from 'vitest'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun } from '../support/run.ts'

const EVENTS = 3_000
const DEADLINE_MS = 10_000

test('after SIGTERM under load the service ends in time, and after a restart no transaction was called or written twice', async () => {
  const run = await startRun({
    simulator: { latencyMs: 50, jitterMs: 50 },
    settings: { SHUTDOWN_DEADLINE: `${DEADLINE_MS}ms`, CHECKRESULT_TIMEOUT: '5s' },
  })
  onTestFinished(run.close)
  const stopped = await run.startReplica()
  const sent = await run.sendFresh(EVENTS)
  await run.outputs.until(() => run.outputs.records.length >= EVENTS / 3)
  const startedMs = performance.now()
  expect(await stopped.stop()).toBe(0)
  expect(performance.now() - startedMs).toBeLessThan(DEADLINE_MS)
  expect(run.outputs.records.length).toBeLessThan(EVENTS)

  const restarted = await run.startReplica()
  await run.untilOut(sent)
  expect(await restarted.stop()).toBe(0)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  expect(run.simulator.report().transactionsByCalls).toEqual({ 1: EVENTS })
})
