/** Metrics of calls, quota and circuit breaker. */
import { CIRCUIT_REASONS, type CircuitReason } from '../../core/calls/circuit-breaker.ts'
import { CALL_OUTCOMES, PRIORITIES, WASTED_CALLS, type Metrics, type Priority } from '../../ports.ts'
import type { Instruments } from './instruments.ts'
import { CODES, codeLabel } from './labels.ts'

type CallMetrics = Pick<Metrics, 'called' | 'inFlight' | 'circuit' | keyof QuotaMetrics>
type QuotaMetrics = Pick<
  Metrics,
  'permitGranted' | 'permitsWaiting' | 'quota' | 'quotaRate' | 'wastedCall' | 'slotsWasted'
>

/** Covers calls to an API in Hong Kong, up to the client's timeout and beyond. */
const REQUEST_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 13]
/** The first buckets fit the time between permits at 200 calls per second. */
const WAIT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** The rate this replica uses now. Other metrics are derived from it. */
export interface QuotaRate {
  /** Calls per second. */
  rate: number
}

export function callMetrics(instruments: Instruments, quota: QuotaRate): CallMetrics {
  let inFlight = 0
  let openReason: CircuitReason | null = null
  const requests = instruments.counter(
    'requests_total',
    'Number of CheckResult calls, by response code or by the reason why there was no response.',
    { code: CODES },
  )
  const duration = instruments.histogram(
    'request_duration_seconds',
    'Duration of CheckResult calls in seconds, by outcome.',
    REQUEST_BUCKETS,
    { outcome: CALL_OUTCOMES },
  )
  instruments.gauge('requests_in_flight', 'Number of CheckResult calls in flight.', [], () => [
    [[], inFlight],
  ])
  instruments.gauge(
    'circuit_open',
    '1 while the circuit breaker is open for this reason and calls are paused, else 0.',
    ['reason'],
    () => CIRCUIT_REASONS.map((reason) => [[reason], Number(reason === openReason)]),
  )
  return {
    called: ({ code, outcome, seconds }) => {
      requests([codeLabel(code)])
      duration([outcome], seconds)
    },
    inFlight: (calls) => {
      inFlight = calls
    },
    circuit: (reason) => {
      openReason = reason
    },
    ...quotaMetrics(instruments, quota),
  }
}

function quotaMetrics(instruments: Instruments, quota: QuotaRate): QuotaMetrics {
  let limit = 0
  let share = 0
  let waiting: Readonly<Record<Priority, number>> = { fresh: 0, deferred: 0, redriven: 0 }
  const waited = instruments.histogram(
    'quota_wait_seconds',
    'Time that calls waited for their permit, in seconds.',
    WAIT_BUCKETS,
    { priority: PRIORITIES },
  )
  const permits = instruments.counter('quota_permits_total', 'Number of permits granted.', {
    priority: PRIORITIES,
  })
  const wasted = instruments.counter(
    'quota_wasted_calls_total',
    'Number of wasted calls: throttled, or repeated because the output was not committed.',
    { reason: WASTED_CALLS },
  )
  const wastedSlots = instruments.counter(
    'quota_wasted_slots_total',
    'Number of slots reserved in Redis that were not used in time.',
    {},
  )
  instruments.gauge(
    'quota_limit_per_second',
    'Calls per second allowed for all replicas together.',
    [],
    () => [[[], limit]],
  )
  instruments.gauge('quota_share_per_second', 'Calls per second allowed for this replica.', [], () => [
    [[], share],
  ])
  instruments.gauge(
    'quota_rate_per_second',
    'Calls per second that this replica makes at most now: its share, or less while it is throttled.',
    [],
    () => [[[], quota.rate]],
  )
  instruments.gauge('quota_waiting', 'Number of calls waiting for a permit.', ['priority'], () =>
    PRIORITIES.map((priority) => [[priority], waiting[priority]]),
  )
  return {
    permitGranted: (priority, waitedSeconds) => {
      permits([priority])
      waited([priority], waitedSeconds)
    },
    permitsWaiting: (now) => {
      waiting = now
    },
    quota: (limitPerSecond, sharePerSecond) => {
      limit = limitPerSecond
      share = sharePerSecond
    },
    quotaRate: (perSecond) => {
      Object.assign(quota, { rate: perSecond })
    },
    wastedCall: (reason) => wasted([reason]),
    slotsWasted: (slots) => wastedSlots([], slots),
  }
}
