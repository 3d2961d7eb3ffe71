import { expect, onTestFinished, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { metricSum } from '../../dev/harness/service.ts'
import { startRun } from '../support/run.ts'

const EVENTS = 200

test('a callback that arrives three times costs one call and gives one result, and the duplicates are counted', async () => {
  const run = await startRun({ partitions: 1 })
  onTestFinished(run.close)
  const replica = await run.startReplica()
  const messages = Array.from({ length: EVENTS }, (_, number) => ({
    value: run.encode(
      eventFor({ name: number % 10 === 0 ? 'notyet' : 'passpassport', docType: null }, number),
    ),
  }))
  await run.send(messages)
  await run.send(messages)
  const [first] = messages
  const forced = await run.send([{ value: first?.value ?? null, headers: { 'checkresult-force': '1' } }])
  await run.send(messages)

  await run.outputs.until(() => run.results().length === EVENTS + forced.length)
  const duplicates = async (): Promise<number> =>
    metricSum(await replica.metrics(), 'checkresult_duplicates_total')
  await expect.poll(duplicates).toBe(2 * EVENTS)
  expect(await replica.stop()).toBe(0)
  expect(run.results()).toHaveLength(EVENTS + forced.length)
  // One further call for each transaction that was not completed at first, and one for the forced event.
  expect(run.simulator.report().callsByCode['Success']).toBe(EVENTS + forced.length)
})
