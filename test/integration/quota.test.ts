import { expect, onTestFinished, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { decodeResult, EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun } from '../support/run.ts'

const QPS = 20
const EVENTS = 100

test('with work waiting nine tenths of the quota are used, and never more than the quota in any second', async () => {
  const run = await startRun({ settings: { CHECKRESULT_QPS: String(QPS) } })
  onTestFinished(run.close)
  const sent = await run.send(
    Array.from({ length: EVENTS }, (_, number) => ({
      value: run.encode(eventFor({ name: 'passpassport', docType: null }, number)),
    })),
  )
  await run.startReplica()
  await run.untilOut(sent)

  const { calls, mostCallsInASecond, callsByCode } = run.simulator.report()
  expect(mostCallsInASecond).toBeLessThanOrEqual(QPS)
  expect(callsByCode).toEqual({ Success: EVENTS })
  const checkedAt = run.results().map((record) => decodeResult(record).checkedAt)
  const seconds = (Math.max(...checkedAt) - Math.min(...checkedAt)) / 1000
  expect((calls - 1) / seconds / QPS).toBeGreaterThanOrEqual(0.9)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
})
