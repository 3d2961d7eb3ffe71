/** Summarizes the metrics of replicas when events do not come out, to show where to look first. */
import type { ServiceProcess } from '../../dev/harness/service.ts'

/** Metrics that explain a delay: unread records, an open circuit breaker, calls in flight, skipped duplicates. */
const DELAY_METRICS =
  /^checkresult_(?:consumer_lag_records|oldest_unsettled_timestamp_seconds|circuit_open|requests_in_flight|duplicates_total)(?:\{| )/

/** One line for each of these metrics that is not 0. */
function holdUps(exposition: string): string[] {
  return exposition.split('\n').filter((line) => DELAY_METRICS.test(line) && !line.endsWith(' 0'))
}

/** Never rejects. */
export async function describeHoldUps(replicas: Iterable<ServiceProcess>): Promise<string> {
  const described = await Promise.all(
    [...replicas].map(async (replica) => {
      const lines = await replica.metrics().then(holdUps, () => ['The replica does not answer.'])
      return [`Replica ${replica.pid}:`, ...lines].join('\n  ')
    }),
  )
  return described.join('\n')
}
