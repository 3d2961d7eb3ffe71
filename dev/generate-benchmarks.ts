/**
 * The measured tables in docs/, generated from `bench/*.jsonl`: `node dev/generate-benchmarks.ts` rewrites them, as does every
 * command that adds a run. A test fails if a committed table is out of date.
 */
import { writeFileSync } from 'node:fs'
import { generatePage, markdownTable, type GeneratedPage } from './generated-section.ts'
import { figureTable } from './bench/table.ts'
import {
  keptRuns,
  type BenchRun,
  type Origin,
  type QuotaRow,
  type QuotaRun,
  type WidthsRun,
} from './measurements.ts'

const DOCS = new URL('../docs/', import.meta.url)
/** Speed varies from run to run, so the table shows some runs of each kind. */
const RUNS_SHOWN = 2
/** Shorter runs are for trying something out: their figures do not compare with the others. */
const EVENTS = 20_000
const MIN_WARM_UP = 5

export async function measuredPages(): Promise<readonly GeneratedPage[]> {
  return Promise.all([
    generatePage(new URL('benchmarks.md', DOCS), {
      widths: widthsTable(keptRuns('widths')),
      speed: speedTable(keptRuns('results')),
      permits: permitsTable(),
      soak: soakTable(),
    }),
    generatePage(new URL('failure-modes.md', DOCS), { chaos: chaosTable() }),
    generatePage(new URL('quota.md', DOCS), { quota: quotaTable(keptRuns('quota')) }),
  ])
}

export async function writeMeasuredPages(): Promise<void> {
  for (const { url, current } of await measuredPages()) writeFileSync(url, current)
}

/** The newest run of each command. */
export function widthsTable(runs: readonly WidthsRun[]): string {
  const newest = new Map(runs.map((run) => [run.command, run]))
  const tables = [...newest.values()].map((run) => {
    const { head, rows } = figureTable(run)
    const figures = `A backlog of ${thousands(run.backlog)} events, medians of ${run.runs} runs.`
    return `${caption(run)} ${figures}\n\n${markdownTable(head, rows)}`
  })
  return tables.join('\n\n')
}

/** The newest runs of each kind with the small heap that also measured latency. */
export function speedTable(runs: readonly BenchRun[]): string {
  const complete = runs.filter(({ heap, recordP50Ms }) => heap === 'small' && recordP50Ms !== undefined)
  const shown = new Map<string, BenchRun[]>()
  for (const run of complete) {
    if (run.events !== EVENTS || (run.warmUp ?? 0) < MIN_WARM_UP) continue
    const kind = benchCommand(run)
    shown.set(kind, [...(shown.get(kind) ?? []), run].slice(-RUNS_SHOWN))
  }
  const head = [
    'command',
    'commit, date',
    'draining: results/s',
    'CPU per result',
    'peak memory',
    'idle CPU (of one core)',
    'at 200/s: event to result record, p50 / p99',
    'event to a read_committed reader, p50 / p99',
    'CPU per result',
  ]
  const rows = [...shown.values()]
    .flat()
    .map((run) => [
      `\`${benchCommand(run)}\``,
      madeBy(run),
      thousands(run.resultsPerSecond),
      `${run.cpuUsPerRecord} µs`,
      `${run.peakMemoryMb} MB`,
      `${run.idlePercent} %`,
      `${run.recordP50Ms} / ${run.recordP99Ms} ms`,
      `${run.visibleP50Ms} / ${run.visibleP99Ms} ms`,
      `${run.cpuMsPerRecord} ms`,
    ])
  return markdownTable(head, rows)
}

function benchCommand({ contender = 'service', delivery, upstream }: BenchRun): string {
  const options = [
    upstream === 'simulator' ? [] : ['--upstream', upstream],
    contender === 'service' ? [] : ['--contender', contender],
    contender === 'service' && delivery === 'at-least-once' ? ['--delivery', delivery] : [],
  ].flat()
  return ['npm run bench', ...(options.length === 0 ? [] : ['--', ...options])].join(' ')
}

function permitsTable(): string {
  const run = keptRuns('permits').at(-1)
  if (run === undefined) return ''
  const rows = run.permits.map(({ how, cpuUs }) => [how, `${cpuUs} µs`])
  return `${caption(run)}\n\n${markdownTable(['permits granted', 'CPU per permit'], rows)}`
}

function soakTable(): string {
  const run = keptRuns('soak').at(-1)
  if (run === undefined) return ''
  const { events, lost, repeated, replicas } = run
  const rows = replicas.map(({ memoryMb, descriptors }, at) => [
    String(at + 1),
    memoryMb.map((mb) => `${mb.toFixed(1)} MB`).join(' / '),
    descriptors.join(' / '),
  ])
  const head = [
    'replica',
    'memory: second fifth of the run / last fifth',
    'file descriptors: second fifth / last fifth',
  ]
  return `${caption(run)} ${thousands(events)} events: lost ${lost}, repeated ${repeated}.\n\n${markdownTable(head, rows)}`
}

/** The newest run of each scenario. */
function chaosTable(): string {
  const newest = new Map<string, readonly string[]>()
  const origins = new Map<string, Origin>()
  for (const run of keptRuns('chaos')) {
    for (const { name, fault, events, lost, repeated, early, recoveries } of run.scenarios) {
      origins.set(name, run)
      const back = recoveries.map(({ what, seconds }) =>
        [`${seconds.toFixed(1)} s`, what].filter((part) => part !== '').join(': '),
      )
      newest.set(name, [fault, thousands(events), `${lost} / ${repeated} / ${early}`, back.join('; ')])
    }
  }
  const head = ['fault', 'events', 'lost / repeated / too early', 'recovered after']
  const captions = new Set([...origins.values()].map(caption))
  return `${listed(captions)}\n\n${markdownTable(head, [...newest.values()])}`
}

/** The newest run of each row and mode. */
export function quotaTable(runs: readonly QuotaRun[]): string {
  const modes = ['partition', 'redis']
  const rows = new Map<string, Map<string, QuotaRow>>()
  const origins = new Set<string>()
  for (const run of runs) {
    for (const row of run.rows) rows.set(row.title, (rows.get(row.title) ?? new Map()).set(row.mode, row))
  }
  for (const run of runs) {
    const used = run.rows.some((row) => rows.get(row.title)?.get(row.mode) === row)
    if (used) origins.add(`${caption(run)} ${run.cases} of ${run.cases} cases passed.`)
  }
  const head = modes.flatMap((mode) => [`${mode}: max calls in any second`, 'used', 'throttled'])
  const table = markdownTable(
    ['', ...head],
    [...rows].map(([title, byMode]) => [title].concat(modes.flatMap((mode) => quotaCells(byMode.get(mode))))),
  )
  return `${listed(origins)}\n\n${table}`
}

function quotaCells(row: QuotaRow | undefined): readonly string[] {
  if (row === undefined) return ['', '', '']
  const { maxInASecond, used, waitP99Ms, throttled } = row
  const share = used === null ? `a permit in ${waitP99Ms} ms (p99)` : `${(used * 100).toFixed(1)} %`
  return [String(maxInASecond), share, String(throttled)]
}

/** A single caption unchanged, several as a list. */
function listed(captions: ReadonlySet<string>): string {
  return captions.size === 1 ? [...captions].join('') : [...captions].map((one) => `- ${one}`).join('\n')
}

function caption({ command, cores, ...made }: Origin): string {
  return `\`${command}\` on ${cores} cores (${madeBy(made)}).`
}

function madeBy({ commit, at }: Pick<Origin, 'commit' | 'at'>): string {
  return `${commit}, ${at.slice(0, 10)}`
}

function thousands(number: number): string {
  return number.toLocaleString('en-US')
}

if (import.meta.main) await writeMeasuredPages()
