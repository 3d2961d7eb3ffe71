/** PromQL of the dashboards: every selector is held to the chosen job and instance. */
export interface Query {
  readonly expr: string
  readonly legend: string
}

/** A metric of the replicas chosen. */
export function metric(name: string, matchers = ''): string {
  return `${name}{${['job=~"$job"', 'instance=~"$instance"', ...(matchers === '' ? [] : [matchers])].join(', ')}}`
}

/** A recorded series: all replicas of the job together. */
export function recorded(name: string): string {
  return `checkresult:${name}{job=~"$job"}`
}

/** A counter's pace per second, added up by some labels or altogether. */
export function rate(counter: string, by = ''): string {
  return `sum${by === '' ? '' : ` by (${by})`} (rate(${counter}[$__rate_interval]))`
}

/** How much was counted in the time shown. */
export function total(counter: string, by = ''): string {
  return `sum${by === '' ? '' : ` by (${by})`} (increase(${counter}[$__range]))`
}

/** The value below which a share of a histogram's observations lies. */
export function quantile(share: number, histogram: string, by = ''): string {
  const labels = by === '' ? 'le' : `${by}, le`
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${histogram}[$__rate_interval])))`
}
