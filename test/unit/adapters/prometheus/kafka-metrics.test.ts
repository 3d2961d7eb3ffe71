import { expect, test } from 'vitest'
import { setUp, TOPICS } from '../../../support/metrics.ts'

test('counts transactions, group events and registry requests', async () => {
  const { metrics, scrape } = setUp()
  metrics.transaction('committed', 0.03)
  metrics.transaction('fenced', 0.2)
  metrics.rebalanced()
  metrics.heartbeat(1_800_000_000_500)
  metrics.laneBacklog(321)
  metrics.registryRequest('schema-by-id', 'not-found')
  const { series } = await scrape()
  expect(series.get('transactions_total{outcome="committed"}')).toBe(1)
  expect(series.get('transactions_total{outcome="fenced"}')).toBe(1)
  expect(series.get('transaction_duration_seconds_count')).toBe(2)
  expect(series.get('rebalances_total')).toBe(1)
  expect(series.get('last_heartbeat_timestamp_seconds')).toBe(1_800_000_000.5)
  expect(series.get('lane_backlog')).toBe(321)
  const asked = 'schema_registry_requests_total{operation="schema-by-id",outcome="not-found"}'
  expect(series.get(asked)).toBe(1)
})

test('counts output writes and offset commits separately without transactions', async () => {
  const { metrics, scrape } = setUp('at-least-once')
  metrics.transaction('committed', 0.03)
  metrics.transaction('failed', 0.2)
  metrics.offsetCommit('committed')
  metrics.offsetCommit('failed')
  const { series } = await scrape()
  expect(series.get('publishes_total{outcome="acknowledged"}')).toBe(1)
  expect(series.get('publishes_total{outcome="failed"}')).toBe(1)
  expect(series.get('publish_duration_seconds_count')).toBe(2)
  expect(series.get('transactions_total{outcome="committed"}')).toBe(0)
  expect(series.get('transaction_duration_seconds_count')).toBe(0)
  expect(series.get('offset_commits_total{outcome="committed"}')).toBe(1)
  expect(series.get('offset_commits_total{outcome="failed"}')).toBe(1)
})

test('a partition has series only while it is assigned', async () => {
  const { metrics, scrape } = setUp()
  const [input = ''] = TOPICS
  metrics.lag(input, 3, 12)
  metrics.oldestUnsettled(input, 3, 1_800_000_000_500)
  const lag = `consumer_lag_records{topic="${input}",partition="3"}`
  const oldest = `oldest_unsettled_timestamp_seconds{topic="${input}",partition="3"}`
  const ours = await scrape()
  expect(ours.series.get(lag)).toBe(12)
  expect(ours.series.get(oldest)).toBe(1_800_000_000.5)
  metrics.oldestUnsettled(input, 3, null)
  const scraped = await scrape()
  expect(scraped.series.has(oldest)).toBe(false)
  expect(scraped.series.get(lag)).toBe(12)
  metrics.oldestUnsettled(input, 3, 1_800_000_000_500)
  metrics.partitionLost(input, 3)
  const lost = await scrape()
  expect(lost.series.has(lag)).toBe(false)
  expect(lost.series.has(oldest)).toBe(false)
})
