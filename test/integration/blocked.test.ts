import { expect, onTestFinished, test } from 'vitest'
import { metricSum } from '../../dev/harness/service.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun } from '../support/run.ts'

const EVENTS = 200

test('while the API rejects the account, no event is given up, and processing resumes without a restart', async () => {
  const run = await startRun()
  onTestFinished(run.close)
  run.simulator.setFaults({ forbid: 'Forbidden.RAMUserAccessDenied' })
  const replica = await run.startReplica()
  const sent = await run.sendFresh(EVENTS)
  const closed = 'checkresult_circuit_open{reason="credentials"}'
  await expect.poll(async () => metricSum(await replica.metrics(), closed), { timeout: 10_000 }).toBe(1)
  // All calls that were in flight at the first rejection have ended. The probe follows seconds later.
  const inFlight = async (): Promise<number> =>
    metricSum(await replica.metrics(), 'checkresult_requests_in_flight')
  await expect.poll(inFlight, { timeout: 4_000 }).toBe(0)
  const refused = run.simulator.report()
  expect((await fetch(`${replica.opsUrl}/readyz`)).status).toBe(200)
  expect(await (await fetch(replica.opsUrl)).text()).toContain('credentials')
  expect(run.outputs.records).toEqual([])

  run.simulator.setFaults({})
  await run.untilOut(sent)
  expect(metricSum(await replica.metrics(), closed)).toBe(0)
  expect(await replica.stop()).toBe(0)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  expect(run.results()).toHaveLength(EVENTS)
  // Rejected were only the calls in flight at the first rejection. After that came one probe.
  const { callsByCode } = run.simulator.report()
  expect(callsByCode['Forbidden.RAMUserAccessDenied']).toBe(refused.calls)
  expect(callsByCode['Success']).toBe(EVENTS)
})
