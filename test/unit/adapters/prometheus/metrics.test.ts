import { describe, expect, test } from 'vitest'
import { setUp } from '../../../support/metrics.ts'

/** Names, types and labels from the design, and a few more that the port reports. */
const CONTRACT = [
  'build_info gauge version revision node',
  'circuit_open gauge reason',
  'consumer_lag_records gauge topic partition',
  'credential_refreshes_total counter outcome',
  'credentials_expiry_timestamp_seconds gauge',
  'dead_letters_total counter reason',
  'deferred_total counter reason',
  'dropped_members_total counter member',
  'duplicates_total counter',
  'end_to_end_seconds histogram',
  'events_consumed_total counter topic',
  'foreign_records_total counter kind',
  'implausible_timestamps_total counter',
  'lag_drain_seconds gauge',
  'lane_backlog gauge',
  'last_heartbeat_timestamp_seconds gauge',
  'offset_commits_total counter outcome',
  'offsets_lost_total counter topic',
  'oldest_unsettled_timestamp_seconds gauge topic partition',
  'open_transaction_seconds gauge topic partition',
  'partition_blocked_offset gauge topic partition code',
  'partition_leader_silent_seconds gauge topic partition',
  'publish_duration_seconds histogram',
  'publishes_total counter outcome',
  'quota_limit_per_second gauge',
  'quota_permits_total counter priority',
  'quota_rate_per_second gauge',
  'quota_share_per_second gauge',
  'quota_wait_seconds histogram priority',
  'quota_waiting gauge priority',
  'quota_wasted_calls_total counter reason',
  'quota_wasted_slots_total counter',
  'rebalances_total counter',
  'redelivered_total counter',
  'request_duration_seconds histogram outcome',
  'requests_in_flight gauge',
  'requests_total counter code',
  'results_total counter verdict sub_code family',
  'risk_checks_total counter result',
  'schema_registry_requests_total counter operation outcome',
  'schema_registry_waiting_records gauge',
  'spoof_signals_total counter type',
  'transaction_duration_seconds histogram',
  'transactions_total counter outcome',
  'unkeyed_events_total counter',
  'unreadable_documents_total counter',
  'verdict_disagreements_total counter',
]

const PASSED = {
  verdict: 'PASSED',
  subCode: '200',
  family: 'PASSPORT',
  risk: 'clean',
  spoofTypes: [],
  disagrees: false,
} as const

function labelsOf(metric: string, series: Iterable<string>): string[] {
  for (const name of series) {
    const [, labels] = /^[^{]+\{(.+)\}$/.exec(name) ?? []
    if (labels !== undefined && new RegExp(`^${metric}(_bucket)?\\{`).test(name)) {
      return [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label).filter((label) => label !== 'le')
    }
  }
  return []
}

describe('the exposition', () => {
  test('has exactly the metrics, types and labels of the contract', async () => {
    const { metrics, scrape } = setUp()
    metrics.lag('verification.completed', 0, 1)
    metrics.oldestUnsettled('verification.completed', 0, 1)
    metrics.blocked('verification.completed', 0, { offset: 1n, code: 'MESSAGE_TOO_LARGE' })
    metrics.openTransaction('verification.completed', 0, 90)
    metrics.leaderSilent('verification.completed', 0, 30)
    const { types, series } = await scrape()
    const found = [...types].map(([name, type]) => [name, type, ...labelsOf(name, series.keys())].join(' '))
    expect(found.toSorted()).toEqual(CONTRACT)
  })

  test('has the process metrics without a prefix', async () => {
    const { series } = await setUp().scrape()
    const names = [...series.keys()]
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      expect(names).toContain(name)
    }
  })

  test('states its format', async () => {
    expect((await setUp().scrape()).contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  })

  test('shows the running version', async () => {
    const { series } = await setUp().scrape()
    expect(series.get(`build_info{version="1.2.3",revision="abc1234",node="${process.version}"}`)).toBe(1)
  })

  test('starts with every combination of fixed labels at 0, far below 3,000 series', async () => {
    const { series } = await setUp().scrape()
    const ours = [...series].filter(([name]) =>
      [...CONTRACT].some((line) => name.startsWith(line.split(' ')[0] ?? '-')),
    )
    const count = (metric: string) => ours.filter(([name]) => name.startsWith(`${metric}{`)).length
    expect(count('results_total')).toBe(3 * 10 * 9)
    expect(count('requests_total')).toBeGreaterThan(30)
    expect(count('events_consumed_total')).toBe(2)
    expect(count('dead_letters_total')).toBe(8)
    expect(count('schema_registry_requests_total')).toBe(6)
    expect(count('request_duration_seconds_count')).toBe(6)
    expect(series.get('duplicates_total')).toBe(0)
    expect(ours.filter(([name, value]) => value !== 0 && !name.startsWith('build_info'))).toEqual([])
    expect(series.size).toBeLessThan(1_000)
  })

  test('has a help text for each metric', async () => {
    const { body } = await setUp().scrape()
    expect(body.match(/^# HELP checkresult_\S+ .{8,}$/gm)).toHaveLength(CONTRACT.length)
  })
})

describe('outcome metrics', () => {
  test('count a committed result once in each of its metrics', async () => {
    const { metrics, scrape } = setUp()
    metrics.resultCommitted(PASSED, 0.04)
    metrics.resultCommitted(
      {
        verdict: 'FAILED',
        subCode: '212',
        family: null,
        risk: 'risky',
        spoofTypes: ['TAMPER', 'PHOTO_COPY'],
        disagrees: true,
      },
      40,
    )
    const { series } = await scrape()
    expect(series.get('results_total{verdict="PASSED",sub_code="200",family="PASSPORT"}')).toBe(1)
    expect(series.get('results_total{verdict="FAILED",sub_code="212",family="NONE"}')).toBe(1)
    expect(series.get('risk_checks_total{result="clean"}')).toBe(1)
    expect(series.get('risk_checks_total{result="risky"}')).toBe(1)
    expect(series.get('spoof_signals_total{type="TAMPER"}')).toBe(1)
    expect(series.get('spoof_signals_total{type="PHOTO_COPY"}')).toBe(1)
    expect(series.get('verdict_disagreements_total')).toBe(1)
    expect(series.get('end_to_end_seconds_bucket{le="0.05"}')).toBe(1)
    expect(series.get('end_to_end_seconds_bucket{le="60"}')).toBe(2)
    expect(series.get('end_to_end_seconds_count')).toBe(2)
  })

  test('count an unknown sub-code as "other" and a missing one as "none"', async () => {
    const { metrics, scrape } = setUp()
    metrics.resultCommitted({ ...PASSED, subCode: 'Z683365(5)' }, 1)
    metrics.resultCommitted({ ...PASSED, subCode: null }, 1)
    const { series, body } = await scrape()
    expect(series.get('results_total{verdict="PASSED",sub_code="other",family="PASSPORT"}')).toBe(1)
    expect(series.get('results_total{verdict="PASSED",sub_code="none",family="PASSPORT"}')).toBe(1)
    expect(body).not.toContain('Z683365')
  })

  test('record no negative latency for a record from a clock that is ahead', async () => {
    const { metrics, scrape } = setUp()
    metrics.resultCommitted(PASSED, -3)
    const { series } = await scrape()
    expect(series.get('end_to_end_seconds_bucket{le="0.05"}')).toBe(1)
    expect(series.get('end_to_end_seconds_sum')).toBe(0)
  })

  test('count every other outcome by its reason', async () => {
    const { metrics, scrape } = setUp()
    metrics.consumed('verification.completed', 500)
    metrics.redelivered(7)
    metrics.deferred('pending')
    metrics.deadLettered('rejected')
    metrics.unreadableDocument()
    metrics.droppedMember('address')
    metrics.droppedMember('other')
    metrics.droppedMember('neverHeardOf')
    const { series } = await scrape()
    expect(series.get('events_consumed_total{topic="verification.completed"}')).toBe(500)
    expect(series.get('redelivered_total')).toBe(7)
    expect(series.get('deferred_total{reason="pending"}')).toBe(1)
    expect(series.get('dead_letters_total{reason="rejected"}')).toBe(1)
    expect(series.get('unreadable_documents_total')).toBe(1)
    expect(series.get('dropped_members_total{member="address"}')).toBe(1)
    expect(series.get('dropped_members_total{member="other"}')).toBe(1)
  })
})

describe('quota metrics', () => {
  test('count permits and wasted calls, and show limit, share and rate', async () => {
    const { metrics, scrape } = setUp()
    metrics.permitGranted('deferred', 0.2)
    metrics.wastedCall('throttled')
    metrics.quota(10, 4)
    metrics.quotaRate(2.5)
    const { series } = await scrape()
    expect(series.get('quota_permits_total{priority="deferred"}')).toBe(1)
    expect(series.get('quota_wasted_calls_total{reason="throttled"}')).toBe(1)
    const gauges = ['limit', 'share', 'rate'].map((name) => series.get(`quota_${name}_per_second`))
    expect(gauges).toEqual([10, 4, 2.5])
  })

  test('estimate the time to work off the lag, and are absent without lag or limit', async () => {
    const { metrics, scrape } = setUp()
    const drain = async () => (await scrape()).series.get('lag_drain_seconds')
    expect(await drain()).toBe(0)
    metrics.lag('verification.completed', 0, 30)
    metrics.lag('verification.completed', 1, 20)
    metrics.quotaRate(2.5)
    expect(await drain()).toBe(20)
    metrics.quotaRate(Infinity)
    expect(await drain()).toBe(0)
    metrics.quotaRate(0)
    expect(await drain()).toBe(Infinity)
  })
})

describe('call metrics', () => {
  test.each([
    ['Success', 'Success'],
    ['200', 'Success'],
    ['Throttling.Api', 'Throttling.Api'],
    ['Throttling.Unheard', 'Throttling'],
    ['Forbidden.Unheard', 'Forbidden'],
    ['MissingTransactionId', 'MissingParameter'],
    ['InvalidSecurityToken.Expired', 'InvalidSecurityToken'],
    ['MissingAccessKeyId', 'other'],
    ['timeout', 'timeout'],
    ['', 'other'],
    ['LI SI', 'other'],
  ])('count the code "%s" as %s', async (code, label) => {
    const { metrics, scrape } = setUp()
    metrics.called({ code, outcome: 'final', seconds: 0.2 })
    const { series } = await scrape()
    expect([...series].filter(([name, value]) => name.startsWith('requests_total') && value > 0)).toEqual([
      [`requests_total{code="${label}"}`, 1],
    ])
    expect(series.get('request_duration_seconds_bucket{le="0.2",outcome="final"}')).toBe(1)
  })

  test('show the last reported quota, waiting calls and circuit breaker state', async () => {
    const { metrics, scrape } = setUp()
    metrics.quota(50, 13)
    metrics.slotsWasted(3)
    metrics.permitsWaiting({ fresh: 4, deferred: 2, redriven: 0 })
    metrics.permitGranted('deferred', 0.3)
    metrics.inFlight(9)
    metrics.circuit('credentials')
    const closed = await scrape()
    expect(closed.series.get('quota_limit_per_second')).toBe(50)
    expect(closed.series.get('quota_share_per_second')).toBe(13)
    expect(closed.series.get('quota_wasted_slots_total')).toBe(3)
    expect(closed.series.get('quota_waiting{priority="deferred"}')).toBe(2)
    expect(closed.series.get('quota_wait_seconds_bucket{le="0.5",priority="deferred"}')).toBe(1)
    expect(closed.series.get('requests_in_flight')).toBe(9)
    expect(closed.series.get('circuit_open{reason="credentials"}')).toBe(1)
    expect(closed.series.get('circuit_open{reason="account"}')).toBe(0)
    metrics.circuit(null)
    metrics.quota(Infinity, Infinity)
    const open = await scrape()
    expect(open.series.get('circuit_open{reason="credentials"}')).toBe(0)
    expect(open.series.get('quota_limit_per_second')).toBe(Infinity)
  })
})

test('no metric call throws, even with invalid values', async () => {
  const { metrics, scrape } = setUp()
  const untyped = metrics as unknown as Record<string, (...args: unknown[]) => void>
  const amounts = [Number.NaN, -1, Infinity]
  for (const amount of amounts) {
    metrics.consumed('verification.completed', amount)
    metrics.consumed('no-such-topic', amount)
    metrics.redelivered(amount)
    metrics.transaction('committed', amount)
    metrics.permitGranted('fresh', amount)
    metrics.resultCommitted(PASSED, amount)
    metrics.called({ code: 'toString', outcome: 'final', seconds: amount })
    untyped['deferred']?.('no such reason')
    untyped['transaction']?.('no such outcome', 1)
    untyped['registryRequest']?.('no such operation', 'ok')
    untyped['circuit']?.('no such reason')
  }
  const { series } = await scrape()
  expect(series.get('events_consumed_total{topic="verification.completed"}')).toBe(0)
  expect(series.get('transactions_total{outcome="committed"}')).toBe(3)
  expect(series.get('requests_total{code="other"}')).toBe(3)
})
