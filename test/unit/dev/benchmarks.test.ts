import { expect, test } from 'vitest'
import { measuredPages, quotaTable, speedTable } from '../../../dev/generate-benchmarks.ts'
import { keptRuns, type QuotaRow, type QuotaRun } from '../../../dev/measurements.ts'

test('the benchmark tables in docs/ are up to date (if this fails, run `node dev/generate-benchmarks.ts`)', async () => {
  for (const { found, current } of await measuredPages()) expect(found).toBe(current)
})

test('the speed table shows at most the last two complete runs of each command', () => {
  const rows = speedTable(keptRuns('results')).split('\n').slice(2)
  const commands = rows.map((row) => row.split('|')[1])
  for (const command of commands) expect(commands.filter((one) => one === command).length).toBeLessThan(3)
})

test('the quota table shows the newest figures of each row and mode, with the runs that they come from', () => {
  const row: QuotaRow = {
    title: 'N = 5',
    mode: 'partition',
    maxInASecond: 5,
    used: 0.975,
    waitP99Ms: null,
    throttled: 0,
  }
  const run: QuotaRun = {
    command: 'npm run test:quota',
    commit: 'abc',
    at: '2026-11-30T01:02:03Z',
    cores: 2,
    cases: 1,
    rows: [row],
  }
  const table = quotaTable([
    { ...run, commit: 'old' },
    { ...run, rows: [{ ...row, used: 0.98 }] },
    { ...run, commit: 'redis', rows: [{ ...row, mode: 'redis', used: null, waitP99Ms: 20, throttled: 1 }] },
  ])
  expect(table).not.toContain('old')
  expect(table).toContain('`npm run test:quota` on 2 cores (abc, 2026-11-30). 1 of 1 cases passed.')
  expect(table).toContain('| N = 5 | 5 | 98.0 % | 0 | 5 | a permit in 20 ms (p99) | 1 |')
})
