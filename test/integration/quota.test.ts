import { expect, onTestFinished, test } from 'vitest'
import type { SimulatorReport } from '../../simulator/report.ts'
import { decodeResult, EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const QPS = 20

test('with a backlog, at least 90 % of the quota is used and no call is throttled', async () => {
  const { run, report } = await drain(100, {})
  expect(report.callsByCode).toEqual({ Success: 100 })
  const checkedAt = run.results().map((record) => decodeResult(record).checkedAt)
  const seconds = (Math.max(...checkedAt) - Math.min(...checkedAt)) / 1000
  expect((report.calls - 1) / seconds / QPS).toBeGreaterThanOrEqual(0.9)
})

// A long guard, because two busy cores shared with Kafka cause more jitter than the network.
test('no second has more calls than the quota allows', async () => {
  const { report } = await drain(80, { CHECKRESULT_QPS_GUARD: '150ms' })
  expect(report.maxCallsInASecond).toBeLessThanOrEqual(QPS)
  expect(report.maxCallsInASecond).toBeGreaterThan(QPS / 2)
})

/** Lets one replica drain a backlog. */
async function drain(
  events: number,
  settings: Readonly<Record<string, string>>,
): Promise<{ run: Run; report: SimulatorReport }> {
  const run = await startRun({ settings: { CHECKRESULT_QPS: String(QPS), ...settings } })
  onTestFinished(run.close)
  const sent = await run.sendFresh(events)
  await run.startReplica()
  await run.untilOut(sent)
  const report = run.simulator.report()
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  return { run, report }
}
