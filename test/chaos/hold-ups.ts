/** What replicas say of themselves when events do not come out: where to look first. */
import type { ServiceProcess } from '../../dev/harness/service.ts'

/** Of a partition that is behind, an open circuit breaker, calls under way. */
const TELLING =
  /^checkresult_(?:consumer_lag_records|oldest_unsettled_timestamp_seconds|circuit_open|in_flight)(?:\{| )/

/** One line for each; nothing of those at 0. */
function holdUps(exposition: string): string[] {
  return exposition.split('\n').filter((line) => TELLING.test(line) && !line.endsWith(' 0'))
}

/** Never rejects. */
export async function describeHoldUps(replicas: Iterable<ServiceProcess>): Promise<string> {
  const described = await Promise.all(
    [...replicas].map(async (replica) => {
      const lines = await replica.metrics().then(holdUps, () => ['does not answer'])
      return [`Replica ${replica.pid}:`, ...lines].join('\n  ')
    }),
  )
  return described.join('\n')
}
