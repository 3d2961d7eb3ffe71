import { expect, test } from 'vitest'
import { measuredPages, quotaTable, speedTable, widthsTable } from '../../../dev/generate-benchmarks.ts'
import { keptRuns, type QuotaRow, type QuotaRun, type WidthsRun } from '../../../dev/measurements.ts'

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

test('the tables by width show the newest run of each command', () => {
  const run: WidthsRun = {
    command: 'npm run bench -- --partitions 8,64',
    commit: 'abc',
    at: '2026-11-30T01:02:03Z',
    cores: 2,
    version: '0.1.0',
    node: 'v26',
    delivery: 'exactly-once',
    upstream: 'lean',
    backlog: 50_000,
    runs: 3,
    perSecond: 200,
    rows: [{ partitions: 64, contender: 'service', failed: 0, readyMs: 900 }],
  }
  const table = widthsTable([{ ...run, commit: 'first' }, run, { ...run, command: 'npm run bench' }])
  expect(table).not.toContain('first')
  expect(table).toContain(
    '`npm run bench -- --partitions 8,64` on 2 cores (abc, 2026-11-30). A backlog of 50,000 events, medians of 3 runs.',
  )
  expect(table).toContain('| partitions | service, 64 |')
  expect(table.split('\n').filter((line) => line === '| time to ready | 900 ms |')).toHaveLength(2)
})
