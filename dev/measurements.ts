/**
 * Saves measured figures: one JSON line per run in `bench/*.jsonl`, with the command, the commit and the time.
 * `dev/generate-benchmarks.ts` generates the tables of the docs from them, so no figure is copied by hand.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const FOLDER = new URL('../bench/', import.meta.url)

export interface Origin {
  /** The command, for example `npm run test:quota -- --seed 5`. */
  readonly command: string
  /** Short hash; `+changes` if the work tree had uncommitted changes. */
  readonly commit: string
  /** ISO 8601. Figures older than these files have the date of the commit that published them. */
  readonly at: string
  readonly cores: number
}

export interface ChaosRun extends Origin {
  readonly scenarios: readonly {
    readonly name: string
    readonly fault: string
    readonly events: number
    readonly lost: number
    readonly repeated: number
    readonly early: number
    readonly recoveries: readonly { readonly what: string; readonly seconds: number }[]
  }[]
}

export interface SoakRun extends Origin {
  readonly events: number
  readonly lost: number
  readonly repeated: number
  readonly replicas: readonly {
    readonly memoryMb: readonly [early: number, late: number]
    readonly descriptors: readonly [early: number, late: number]
  }[]
}

/** The worst figures of the cases that share a row. */
export interface QuotaRow {
  readonly title: string
  readonly mode: string
  readonly maxInASecond: number
  /** Share of the quota that was used; null in light load, where the wait for a permit counts instead. */
  readonly used: number | null
  readonly waitP99Ms: number | null
  readonly throttled: number
}

export interface QuotaRun extends Origin {
  readonly cases: number
  readonly rows: readonly QuotaRow[]
}

export interface PermitsRun extends Origin {
  readonly permits: readonly { readonly how: string; readonly cpuUs: number }[]
}

export interface BenchRun {
  readonly commit: string
  readonly at: string
  readonly cores: number
  readonly contender?: string
  readonly delivery?: string
  readonly upstream: string
  readonly heap: string
  readonly events: number
  readonly warmUp?: number
  readonly resultsPerSecond: number
  readonly cpuUsPerRecord: number
  readonly peakMemoryMb: number
  readonly idlePercent: number
  readonly recordP50Ms?: number
  readonly recordP99Ms?: number
  readonly visibleP50Ms?: number
  readonly visibleP99Ms?: number
  readonly cpuMsPerRecord?: number
}

/** Medians over the runs of a program. */
export interface Figures {
  /** From the start of the process until /readyz answers 200, with a backlog. */
  readonly readyMs: number
  readonly coldPerSecond: number
  readonly coldCpuUs: number
  readonly warmPerSecond: number
  readonly warmCpuUs: number
  readonly peakMemoryMb: number
  /** Connections to the broker, the most of after draining and after the steady load. */
  readonly connections: number
  /** Of one core. */
  readonly idlePercent: number
  /** From the timestamp of the event record to that of the result record. */
  readonly recordP50Ms: number
  readonly recordP90Ms: number
  readonly recordP99Ms: number
  /** From the timestamp of the event record until a read_committed consumer has the result. */
  readonly visibleP50Ms: number
  readonly visibleP90Ms: number
  readonly visibleP99Ms: number
  readonly pacedCpuMs: number
}

/** A program at one number of partitions. Without figures if no run passed. */
export interface WidthRow extends Partial<Figures> {
  readonly partitions: number
  readonly contender: string
  readonly failed: number
}

export interface WidthsRun extends Origin {
  readonly version: string
  readonly node: string
  readonly delivery: string
  readonly upstream: string
  readonly backlog: number
  readonly runs: number
  readonly perSecond: number
  readonly rows: readonly WidthRow[]
}

export interface Runs {
  readonly results: BenchRun
  readonly widths: WidthsRun
  readonly chaos: ChaosRun
  readonly soak: SoakRun
  readonly quota: QuotaRun
  readonly permits: PermitsRun
}

export function originOf(command: string): Origin {
  return { command, commit: commit(), at: new Date().toISOString(), cores: availableParallelism() }
}

/** Short hash of HEAD, with `+changes` if the work tree differs from it. */
export function commit(): string {
  const revision = git('rev-parse', '--short', 'HEAD')
  return git('status', '--porcelain') === '' ? revision : `${revision}+changes`
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim()
}

export function keepRun<Kind extends keyof Runs>(kind: Kind, run: Runs[Kind]): void {
  appendFileSync(fileOf(kind), `${JSON.stringify(run)}\n`)
}

/** Oldest first. */
export function keptRuns<Kind extends keyof Runs>(kind: Kind): readonly Runs[Kind][] {
  const lines = readFileSync(fileOf(kind), 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Runs[Kind])
}

function fileOf(kind: keyof Runs): URL {
  return new URL(`${kind}.jsonl`, FOLDER)
}
