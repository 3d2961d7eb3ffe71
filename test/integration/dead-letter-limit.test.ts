import { expect, onTestFinished, test } from 'vitest'
import { metricSum } from '../../dev/harness/service.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun } from '../support/run.ts'

const BAD = 300
const GOOD = 100
/** Dead letters that are written before the limit trips, including those that the lanes were processing. */
const HALF_OF_A_HUNDRED = 50

test('a flood of dead letters trips the limit instead of draining the topic, and a restart with the limit off writes them', async () => {
  const run = await startRun({ settings: { DEAD_LETTER_LIMIT_COOLDOWN: '1h' } })
  onTestFinished(run.close)
  const replica = await run.startReplica()
  const bad = await run.send(Array.from({ length: BAD }, () => ({ value: '{' })))
  const closed = 'checkresult_circuit_open{reason="dead-letter-limit"}'
  await expect.poll(async () => metricSum(await replica.metrics(), closed), { timeout: 10_000 }).toBe(1)
  const good = await run.sendFresh(GOOD)
  await run.outputs.until(() => run.deadLetters().length === HALF_OF_A_HUNDRED)
  expect((await fetch(`${replica.opsUrl}/readyz`)).status).toBe(200)
  expect(run.results()).toEqual([])
  expect(run.simulator.report().calls).toBe(0)
  // The events that were held back have no output, so the next process reads them again.
  expect(await replica.stop()).toBe(0)
  expect(run.deadLetters()).toHaveLength(HALF_OF_A_HUNDRED)

  const unlimited = await run.startReplica({ DEAD_LETTER_LIMIT: 'off' })
  await run.untilOut([...bad, ...good])
  expect(await unlimited.stop()).toBe(0)
  expect(await run.tally([...bad, ...good])).toEqual(EXACTLY_ONCE)
  expect([run.deadLetters().length, run.results().length]).toEqual([BAD, GOOD])
})
