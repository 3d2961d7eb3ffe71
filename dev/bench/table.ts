/** The table of figures by width, for the terminal and for docs/benchmarks.md. */
import type { Figures, WidthRow, WidthsRun } from '../measurements.ts'

interface Line {
  readonly label: string
  readonly of: readonly (keyof Figures)[]
  readonly unit: string
}

const lines = (perSecond: number): readonly Line[] => [
  { label: 'time to ready', of: ['readyMs'], unit: ' ms' },
  { label: 'cold: results/s', of: ['coldPerSecond'], unit: '' },
  { label: 'cold: CPU per result', of: ['coldCpuUs'], unit: ' µs' },
  { label: 'warm: results/s', of: ['warmPerSecond'], unit: '' },
  { label: 'warm: CPU per result', of: ['warmCpuUs'], unit: ' µs' },
  { label: 'peak memory', of: ['peakMemoryMb'], unit: ' MB' },
  { label: 'connections to the broker', of: ['connections'], unit: '' },
  { label: 'idle CPU', of: ['idlePercent'], unit: ' %' },
  {
    label: `${perSecond}/s: event to result record, p50 / p90 / p99`,
    of: ['recordP50Ms', 'recordP90Ms', 'recordP99Ms'],
    unit: ' ms',
  },
  {
    label: `${perSecond}/s: event to reader, p50 / p90 / p99`,
    of: ['visibleP50Ms', 'visibleP90Ms', 'visibleP99Ms'],
    unit: ' ms',
  },
  { label: `${perSecond}/s: CPU per result`, of: ['pacedCpuMs'], unit: ' ms' },
]

export interface FigureTable {
  readonly head: string[]
  readonly rows: readonly string[][]
}

/** A column for each program and width, by program first. */
export function figureTable({
  rows,
  perSecond,
  runs,
}: Pick<WidthsRun, 'rows' | 'perSecond' | 'runs'>): FigureTable {
  const columns = [...new Set(rows.map(({ contender }) => contender))].flatMap((contender) =>
    rows.filter((row) => row.contender === contender),
  )
  const failures = ['failed runs', ...columns.map(({ failed }) => `${failed} of ${runs}`)]
  return {
    head: ['partitions', ...columns.map(({ contender, partitions }) => `${contender}, ${partitions}`)],
    rows: [
      ...lines(perSecond).map(({ label, of, unit }) =>
        [label].concat(columns.map((row) => cell(row, of, unit))),
      ),
      ...(columns.some(({ failed }) => failed > 0) ? [failures] : []),
    ],
  }
}

function cell(row: WidthRow, of: Line['of'], unit: string): string {
  const values = of.map((name) => row[name]?.toLocaleString('en-US'))
  return values.includes(undefined) ? '-' : `${values.join(' / ')}${unit}`
}

/** The medians of each figure over the runs. */
export function medians(runs: readonly Figures[]): Partial<Figures> {
  const names = Object.keys(runs[0] ?? {}) as (keyof Figures)[]
  return Object.fromEntries(names.map((name) => [name, median(runs.map((run) => run[name]))]))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
