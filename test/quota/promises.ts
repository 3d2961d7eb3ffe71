/** The figures of a case, and the requirements that it missed. Pure. */
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
  /** Maximum number of the service's calls in any second of the run. */
  readonly max: number
  /**
   * Share of the quota used in steady state: of N in Redis mode, of the shares of replicas with work in partition
   * mode.
   */
  readonly used: number
  /** Share of N used from before the disturbance until steady state. Null without a disturbance. */
  readonly usedMeanwhile: number | null
  readonly calls: number
  readonly throttled: number
  readonly unfairness: number | null
  readonly waitP99Ms: number | null
  /** The service's calls per second in the second half of the outside calls. Null without an outside caller. */
  readonly besideOutside: number | null
  readonly broken: readonly string[]
}

export interface Observed {
  /** All calls that reached the simulator. */
  readonly calls: readonly Call[]
  /** The span of the steady state, after any disturbance. */
  readonly calm: Span
  /** From before the disturbance until steady state. */
  readonly troubled: Span | null
  /** One per replica, over the steady span. */
  readonly stretches: readonly Stretch[]
  /** Partitions whose backlog was used up at the end. */
  readonly ranDry: readonly number[]
  /** Last log lines of replicas that ended unexpectedly. */
  readonly deaths: readonly string[]
}

const MAX_THROTTLED = 0.001
/** On top of the cost of the guard, which is part of each window. */
const LOST_IN_CALM = 1 - 0.97 * (1 + GUARD_MS / 1_000)
/** After a disturbance, some permits may still be on their way back. */
const LOST_AFTERWARDS = 0.08
/** An outside caller leaves three fifths of N. More calls than this would be throttled. */
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
    what: descriptionOf(played),
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

/** Multiplied by `--slack`, because calls on slow machines arrive with more jitter. */
export function guardOf({ guardMs = GUARD_MS }: Pick<Case, 'guardMs'>, slack: number): number {
  return guardMs * slack
}

/** Minimum share used in steady state. The guard is part of each window, so the maximum is 1 / (1 s + guard). */
export function usedAtLeast(played: Pick<Case, 'guardMs' | 'disturbance'>, slack: number): number {
  const lost = played.disturbance === undefined ? LOST_IN_CALM : LOST_AFTERWARDS
  return Math.max(0, 1 - lost * slack) / (1 + guardOf(played, slack) / 1_000)
}

type Unjudged = Omit<Figures, 'broken'>

function brokenAlways({ max, permits }: Unjudged, { ranDry, deaths, stretches }: Observed): string[] {
  const broken = deaths.map((lines) => `a replica ended: ${lines}`)
  if (max > permits) broken.push(`${max} calls arrived within one second`)
  if (ranDry.length > 0)
    broken.push(`partitions ${ranDry.join()} ran out of work, so the measurement is void`)
  if (stretches.some(({ from, to }) => from.share !== to.share))
    broken.push('the shares changed in steady state, so the measurement is void')
  return broken
}

function brokenUnderBacklog(
  { used, besideOutside: beside, permits }: Unjudged,
  played: Case,
  slack: number,
): string[] {
  const broken: string[] = []
  const min = usedAtLeast(played, slack)
  if (!(used >= min))
    broken.push(`only ${percent(used)} of the quota was used, but at least ${percent(min)} is required`)
  if (beside !== null && beside > permits * MAX_BESIDE_OUTSIDE)
    broken.push(`${beside.toFixed(1)} calls a second beside the outside caller, which is too many`)
  return broken
}

function brokenInLightLoad({ waitP99Ms: waited, permits }: Unjudged, slack: number): string[] {
  const maxMs = (1_000 * slack) / permits
  return waited !== null && waited <= maxMs
    ? []
    : [`waiting for a permit took ${waited} ms (p99), but at most ${maxMs} ms is allowed`]
}

function permitsWithWork({ mode, permits, load }: Case, stretches: readonly Stretch[]): number {
  if (mode === 'redis' || load === 'light') return permits
  return stretches.filter(({ to }) => to.hasWork).reduce((sum, { to }) => sum + to.share, 0)
}

/** Only the second half, because the service first has to notice the outside calls. */
function besideOutside(calls: readonly Call[]): number | null {
  const outside = calls.filter(({ scenario }) => scenario === OUTSIDE_SCENARIO)
  const [first, last] = [outside[0], outside.at(-1)]
  if (first === undefined || last === undefined) return null
  const span = { fromNs: (first.atNs + last.atNs) / 2, toNs: last.atNs }
  const own = within(calls, span).filter(({ scenario }) => scenario !== OUTSIDE_SCENARIO)
  return (own.length * SECOND_NS) / (span.toNs - span.fromNs)
}

function descriptionOf({ disturbance, answerJitterMs, networkJitterMs }: Case): string {
  if (disturbance !== undefined) return disturbance.about
  if (answerJitterMs !== undefined) return `answers take up to ${answerJitterMs} ms longer`
  return networkJitterMs === undefined ? '' : `requests take up to ${networkJitterMs} ms longer to arrive`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
