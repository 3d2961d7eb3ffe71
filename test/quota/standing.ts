/** What replicas say of themselves at one moment, from their metrics; and what two moments tell. Pure. */
import { metricSum } from '../../dev/harness/service.ts'

export interface Standing {
  readonly atNs: number
  /** Calls that were answered so far, quick retries and probes included. */
  readonly calls: number
  /** Permits a second; in Redis mode none is its own. */
  readonly share: number
  /** How many calls waited for at most so many seconds. */
  readonly waits: ReadonlyMap<number, number>
  /** It holds a partition that has work. */
  readonly hasWork: boolean
}

/** Of one replica. */
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
 * How uneven the replicas with work were served: the most calls per permit of its own any of them made, divided by the
 * least. In Redis mode all have the same permits. Null where fewer than two have work.
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

/** No more than this is what 99 of 100 calls waited: the bound of the histogram's bucket. Null without calls. */
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
