import { expect, test } from 'vitest'
import { figureTable, medians } from '../../../../dev/bench/table.ts'
import type { Figures } from '../../../../dev/measurements.ts'

const figures: Figures = {
  readyMs: 1200,
  coldPerSecond: 5000,
  coldCpuUs: 200,
  warmPerSecond: 7000,
  warmCpuUs: 120,
  peakMemoryMb: 150,
  connections: 18,
  idlePercent: 0.8,
  recordP50Ms: 22,
  recordP90Ms: 24,
  recordP99Ms: 30,
  visibleP50Ms: 24,
  visibleP90Ms: 28,
  visibleP99Ms: 34,
  pacedCpuMs: 0.95,
}

test('each program has a column for each width, beside its other widths', () => {
  const { head, rows } = figureTable({
    perSecond: 200,
    runs: 3,
    rows: [
      { partitions: 8, contender: 'service', failed: 0, ...figures },
      { partitions: 8, contender: 'hand-rolled', failed: 0, ...figures, readyMs: 300 },
      { partitions: 64, contender: 'service', failed: 0, ...figures, connections: 19 },
    ],
  })
  expect(head).toEqual(['partitions', 'service, 8', 'service, 64', 'hand-rolled, 8'])
  expect(rows).toEqual([
    ['time to ready', '1,200 ms', '1,200 ms', '300 ms'],
    ['cold: results/s', '5,000', '5,000', '5,000'],
    ['cold: CPU per result', '200 µs', '200 µs', '200 µs'],
    ['warm: results/s', '7,000', '7,000', '7,000'],
    ['warm: CPU per result', '120 µs', '120 µs', '120 µs'],
    ['peak memory', '150 MB', '150 MB', '150 MB'],
    ['connections to the broker', '18', '19', '18'],
    ['idle CPU', '0.8 %', '0.8 %', '0.8 %'],
    ['200/s: event to result record, p50 / p90 / p99', ...Array(3).fill('22 / 24 / 30 ms')],
    ['200/s: event to reader, p50 / p90 / p99', ...Array(3).fill('24 / 28 / 34 ms')],
    ['200/s: CPU per result', '0.95 ms', '0.95 ms', '0.95 ms'],
  ])
})

test('a width at which every run failed has no figures, and failed runs are counted', () => {
  const { rows } = figureTable({
    perSecond: 200,
    runs: 3,
    rows: [
      { partitions: 8, contender: 'service', failed: 1, ...figures },
      { partitions: 64, contender: 'service', failed: 3 },
    ],
  })
  expect(rows[0]).toEqual(['time to ready', '1,200 ms', '-'])
  expect(rows[8]?.[2]).toBe('-')
  expect(rows.at(-1)).toEqual(['failed runs', '1 of 3', '3 of 3'])
})

test('the figures of several runs are medians, each of its own', () => {
  const runs = [
    { ...figures, readyMs: 3000, connections: 18 },
    { ...figures, readyMs: 1000, connections: 20 },
    { ...figures, readyMs: 1500, connections: 19 },
  ]
  expect(medians(runs)).toEqual({ ...figures, readyMs: 1500, connections: 19 })
  expect(medians([])).toEqual({})
})
