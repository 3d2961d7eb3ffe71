/** PromQL of the dashboards. Every selector is limited to the selected job and instance. */
export interface Query {
  readonly expr: string
  readonly legend: string
}

/** A metric of the selected replicas. */
export function metric(name: string, matchers = ''): string {
  return `${name}{${['job=~"$job"', 'instance=~"$instance"', ...(matchers === '' ? [] : [matchers])].join(', ')}}`
}

/** A recorded series, which aggregates all replicas of the job. */
export function recorded(name: string): string {
  return `checkresult:${name}{job=~"$job"}`
}

/** The rate of a counter per second, summed by labels or in total. */
export function rate(counter: string, by = ''): string {
  return `sum${by === '' ? '' : ` by (${by})`} (rate(${counter}[$__rate_interval]))`
}

/** The increase of a counter over the selected time range. */
export function total(counter: string, by = ''): string {
  return `sum${by === '' ? '' : ` by (${by})`} (increase(${counter}[$__range]))`
}

/** A quantile of a histogram. */
export function quantile(share: number, histogram: string, by = ''): string {
  const labels = by === '' ? 'le' : `${by}, le`
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${histogram}[$__rate_interval])))`
}
