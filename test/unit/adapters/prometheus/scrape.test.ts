/** The cost of a scrape with twice the label values of a large installation. */
import { expect, test } from 'vitest'
import { createMetrics } from '../../../../src/adapters/prometheus/metrics.ts'

const INPUT = 'verification.completed'
const TOPICS = [INPUT, ...['10s', '1m', '10m', '1h'].map((delay) => `${INPUT}.retry.${delay}`)]
/** All partitions at one replica: twice the 32 of a large installation. */
const PARTITIONS = 64
const MAX_SERIES = 3_000
const SCRAPES = 20

function filled(): ReturnType<typeof createMetrics> {
  const prometheus = createMetrics({
    version: '1.2.3',
    revision: 'abc1234',
    topics: TOPICS,
    delivery: 'exactly-once',
  })
  const { metrics } = prometheus
  for (const topic of TOPICS) {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      metrics.lag(topic, partition, 1_234)
      metrics.oldestUnsettled(topic, partition, 1_800_000_000_500)
    }
  }
  return prometheus
}

test('a replica with twice the partitions of a large installation has fewer than 3,000 series', async () => {
  const { exposition } = filled()
  const series = async (): Promise<number> =>
    (await exposition()).body.split('\n').filter((line) => /^[a-z]/.test(line)).length
  const count = await series()
  // Printed but not asserted, because the duration depends on the machine.
  const startedMs = performance.now()
  for (let scrape = 0; scrape < SCRAPES; scrape += 1) await exposition()
  const tookMs = (performance.now() - startedMs) / SCRAPES
  process.stderr.write(`${count} series, ${tookMs.toFixed(1)} ms a scrape\n`)
  expect(count).toBeGreaterThan(TOPICS.length * PARTITIONS * 2)
  expect(count).toBeLessThan(MAX_SERIES)
})
