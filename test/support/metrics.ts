/** The Prometheus metrics and their series, as Prometheus would read them. */
import { createMetrics } from '../../src/adapters/prometheus/metrics.ts'
import type { Delivery } from '../../src/core/delivery.ts'
import type { Metrics } from '../../src/ports.ts'

export const TOPICS = ['verification.completed', 'verification.completed.retry.10s']

interface Scrape {
  readonly contentType: string
  /** Values by series, without the prefix. */
  readonly series: ReadonlyMap<string, number>
  /** Types by metric. */
  readonly types: ReadonlyMap<string, string>
  readonly body: string
}

export function setUp(delivery: Delivery = 'exactly-once'): {
  metrics: Metrics
  scrape: () => Promise<Scrape>
} {
  const { metrics, exposition } = createMetrics({
    version: '1.2.3',
    revision: 'abc1234',
    topics: TOPICS,
    delivery,
  })
  return {
    metrics,
    scrape: async () => {
      const { contentType, body } = await exposition()
      const lines = body.split('\n').filter((line) => line !== '')
      const series = lines
        .filter((line) => !line.startsWith('#'))
        .map((line) => /^(?:checkresult_)?(.+) (\S+)$/.exec(line) ?? [])
        .map(([, name = '', value = '']) => [name, Number(value.replace('+Inf', 'Infinity'))] as const)
      const types = lines
        .map((line) => /^# TYPE checkresult_(\S+) (\S+)$/.exec(line))
        .map((match) => [match?.[1] ?? '', match?.[2] ?? ''] as const)
        .filter(([name]) => name !== '')
      return { contentType, body, series: new Map(series), types: new Map(types) }
    },
  }
}
