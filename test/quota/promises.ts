/** What a case must show, and what of it a run did not. Pure. */
import {
  callsPerSecond,
  maxInASecond,
  SECOND_NS,
  throttled,
  within,
  type Call,
  type Span,
} from './arrivals.ts'
import { GUARD_MS, type Case } from './cases.ts'
import { OUTSIDE_SCENARIO } from './scenarios.ts'
import { unfairness, waitP99Ms, type Stretch } from './standing.ts'

export interface Figures {
  readonly name: string
  readonly mode: string
  readonly permits: number
  readonly replicas: number
  readonly load: string
  readonly what: string
  /** Most calls of the service in any second, from its first call to its last. */
  readonly max: number
  /** In calm: of N in Redis mode, of the shares whose replicas have work in partition mode. */
  readonly used: number
  /** The same, of N, from before the disturbance until calm: null without one. */
  readonly usedMeanwhile: number | null
  readonly calls: number
  readonly throttled: number
  readonly unfairness: number | null
  readonly waitP99Ms: number | null
  /** Calls a second of the service in the second half of an outside caller's time: null without one. */
  readonly besideOutside: number | null
  readonly broken: readonly string[]
}

export interface Observed {
  /** All the simulator saw. */
  readonly calls: readonly Call[]
  /** Measured in calm, whatever came before. */
  readonly calm: Span
  /** From before the disturbance until calm. */
  readonly troubled: Span | null
  /** Of each replica, over the calm span. */
  readonly stretches: readonly Stretch[]
  /** Partitions on which nothing was left to do in the end. */
  readonly ranDry: readonly number[]
  /** Last lines of replicas that ended without being told to. */
  readonly deaths: readonly string[]
}

const MAX_THROTTLED = 0.001
/** Beside what the guard costs: it is part of each window. */
const LOST_IN_CALM = 1 - 0.97 * (1 + GUARD_MS / 1_000)
/** When all is well again, but a permit may still be on its way back. */
const LOST_AFTERWARDS = 0.08
/** An outside caller leaves three fifths of N; more calls than these would be throttled. */
const MAX_BESIDE_OUTSIDE = 0.75

export function figuresOf(played: Case, observed: Observed, slack: number): Figures {
  const { mode, permits, disturbance } = played
  const own = observed.calls.filter(({ scenario }) => scenario !== OUTSIDE_SCENARIO)
  const rampNs = SECOND_NS + guardOf(played, slack) * 1e6
  const { stretches, calm, troubled } = observed
  const figures = {
    name: played.name,
    mode,
    permits,
    replicas: played.replicas,
    load: played.load,
    what: whatOf(played),
    max: maxInASecond(own),
    used: callsPerSecond(own, calm, rampNs) / permitsWithWork(played, stretches),
    usedMeanwhile: troubled === null ? null : callsPerSecond(own, troubled, rampNs) / permits,
    calls: own.length,
    throttled: throttled(own),
    unfairness: played.load === 'light' ? null : unfairness(stretches, mode),
    waitP99Ms: played.load === 'light' ? waitP99Ms(stretches) : null,
    besideOutside: besideOutside(observed.calls),
  }
  const broken = [...brokenAlways(figures, observed)]
  if (played.load === 'light') broken.push(...brokenInLightLoad(figures, slack))
  else broken.push(...brokenUnderBacklog(figures, played, slack))
  if (
    disturbance?.name !== 'outside-caller' &&
    figures.throttled / Math.max(1, figures.calls) >= MAX_THROTTLED
  )
    broken.push(`${figures.throttled} of ${figures.calls} calls were throttled`)
  return { ...figures, broken }
}

/** Long on a machine where the calls' way is not even: see the option `--slack`. */
export function guardOf({ guardMs = GUARD_MS }: Pick<Case, 'guardMs'>, slack: number): number {
  return guardMs * slack
}

/** The least that must be used in calm. The guard is part of each window, so no more than 1 / (1 s + guard) can be. */
export function usedAtLeast(played: Pick<Case, 'guardMs' | 'disturbance'>, slack: number): number {
  const lost = played.disturbance === undefined ? LOST_IN_CALM : LOST_AFTERWARDS
  return Math.max(0, 1 - lost * slack) / (1 + guardOf(played, slack) / 1_000)
}

type Unjudged = Omit<Figures, 'broken'>

function brokenAlways({ max, permits }: Unjudged, { ranDry, deaths, stretches }: Observed): string[] {
  const broken = deaths.map((lines) => `a replica ended: ${lines}`)
  if (max > permits) broken.push(`${max} calls came within a second`)
  if (ranDry.length > 0) broken.push(`no work was left on partitions ${ranDry.join()}: nothing was measured`)
  if (stretches.some(({ from, to }) => from.share !== to.share))
    broken.push('the shares changed in calm: nothing was measured')
  return broken
}

function brokenUnderBacklog(
  { used, besideOutside: beside, permits }: Unjudged,
  played: Case,
  slack: number,
): string[] {
  const broken: string[] = []
  const min = usedAtLeast(played, slack)
  if (!(used >= min)) broken.push(`${percent(used)} were used, ${percent(min)} should be`)
  if (beside !== null && beside > permits * MAX_BESIDE_OUTSIDE)
    broken.push(`${beside.toFixed(1)} calls a second beside the outside caller`)
  return broken
}

function brokenInLightLoad({ waitP99Ms: waited, permits }: Unjudged, slack: number): string[] {
  const maxMs = (1_000 * slack) / permits
  return waited !== null && waited <= maxMs ? [] : [`a permit took ${waited} ms (p99), ${maxMs} ms may be`]
}

function permitsWithWork({ mode, permits, load }: Case, stretches: readonly Stretch[]): number {
  if (mode === 'redis' || load === 'light') return permits
  return stretches.filter(({ to }) => to.hasWork).reduce((sum, { to }) => sum + to.share, 0)
}

/** The first half is for noticing. */
function besideOutside(calls: readonly Call[]): number | null {
  const outside = calls.filter(({ scenario }) => scenario === OUTSIDE_SCENARIO)
  const [first, last] = [outside[0], outside.at(-1)]
  if (first === undefined || last === undefined) return null
  const span = { fromNs: (first.atNs + last.atNs) / 2, toNs: last.atNs }
  const own = within(calls, span).filter(({ scenario }) => scenario !== OUTSIDE_SCENARIO)
  return (own.length * SECOND_NS) / (span.toNs - span.fromNs)
}

function whatOf({ disturbance, answerJitterMs, wayJitterMs }: Case): string {
  if (disturbance !== undefined) return disturbance.about
  if (answerJitterMs !== undefined) return `answers take up to ${answerJitterMs} ms longer`
  return wayJitterMs === undefined ? '' : `the way takes up to ${wayJitterMs} ms longer`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
