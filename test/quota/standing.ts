/** The state of a replica at one moment, read from its metrics, and the change between two moments. Pure. */
import { metricSum } from '../../dev/harness/service.ts'

export interface Standing {
  readonly atNs: number
  /** Answered calls so far, including quick retries and probes. */
  readonly calls: number
  /** Permits per second. In Redis mode a replica has no permits of its own. */
  readonly share: number
  /** Number of calls by the upper bound of their wait in seconds. */
  readonly waits: ReadonlyMap<number, number>
  /** Whether it owns a partition that has work. */
  readonly hasWork: boolean
}

/** One replica over a span. */
export interface Stretch {
  readonly from: Standing
  readonly to: Standing
}

export function standingOf(exposition: string, atNs: number, hasWork: boolean): Standing {
  return {
    atNs,
    hasWork,
    calls: metricSum(exposition, 'checkresult_requests_total'),
    share: metricSum(exposition, 'checkresult_quota_share_per_second'),
    waits: waitsOf(exposition),
  }
}

/**
 * How unevenly replicas with work were served: the maximum number of calls per own permit divided by the minimum. In
 * Redis mode all replicas count the same. Null if fewer than two have work.
 */
export function unfairness(stretches: readonly Stretch[], mode: 'partition' | 'redis'): number | null {
  const rates = stretches
    .filter(({ to }) => to.hasWork)
    .map(({ from, to }) => {
      const perNs = (to.calls - from.calls) / (to.atNs - from.atNs)
      return mode === 'partition' ? perNs / to.share : perNs
    })
  return rates.length < 2 ? null : Math.max(...rates) / Math.min(...rates)
}

/** Upper bound of the p99 wait: the bound of its histogram bucket. Null without calls. */
export function waitP99Ms(stretches: readonly Stretch[]): number | null {
  const waited = (bound: number): number =>
    stretches.reduce(
      (sum, { from, to }) => sum + (to.waits.get(bound) ?? 0) - (from.waits.get(bound) ?? 0),
      0,
    )
  const all = waited(Infinity)
  const bounds = [...(stretches[0]?.to.waits.keys() ?? [])].sort((left, right) => left - right)
  const bound = bounds.find((one) => waited(one) >= all * 0.99)
  return all === 0 || bound === undefined ? null : bound * 1_000
}

const BUCKET = /^checkresult_quota_wait_seconds_bucket\{.*le="([^"]+)".*\} (\d+)$/

function waitsOf(exposition: string): ReadonlyMap<number, number> {
  const waits = new Map<number, number>()
  for (const line of exposition.split('\n')) {
    const [, bound = '', count = ''] = BUCKET.exec(line) ?? []
    if (bound === '') continue
    const seconds = bound === '+Inf' ? Infinity : Number(bound)
    waits.set(seconds, (waits.get(seconds) ?? 0) + Number(count))
  }
  return waits
}
