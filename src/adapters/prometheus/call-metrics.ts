/** The calls, the quota and the circuit breaker. */
import { CIRCUIT_REASONS, type CircuitReason } from '../../core/circuit-breaker.ts'
import { CALL_OUTCOMES, PRIORITIES, WASTED_CALLS, type Metrics, type Priority } from '../../ports.ts'
import type { Instruments } from './instruments.ts'
import { CODES, codeLabel } from './labels.ts'

type CallMetrics = Pick<Metrics, 'called' | 'inFlight' | 'circuit' | keyof QuotaMetrics>
type QuotaMetrics = Pick<
  Metrics,
  'permitGranted' | 'permitsWaiting' | 'quota' | 'quotaRate' | 'wastedCall' | 'slotsWasted'
>

/** An API in Hong Kong, up to the client's time-out and beyond. */
const REQUEST_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 13]
/** From what a permit takes to come at 200 calls a second. */
const WAIT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** What of the quota this replica uses now: other metrics go by it. */
export interface QuotaRate {
  /** Calls per second. */
  rate: number
}

export function callMetrics(instruments: Instruments, quota: QuotaRate): CallMetrics {
  let inFlight = 0
  let openReason: CircuitReason | null = null
  const requests = instruments.counter(
    'requests_total',
    "CheckResult calls by the answer's code, or by why there was none.",
    { code: CODES },
  )
  const duration = instruments.histogram(
    'request_duration_seconds',
    'CheckResult calls by what they led to.',
    REQUEST_BUCKETS,
    { outcome: CALL_OUTCOMES },
  )
  instruments.gauge('requests_in_flight', 'Calls under way.', [], () => [[[], inFlight]])
  instruments.gauge('circuit_open', '1 while no calls are made, by reason.', ['reason'], () =>
    CIRCUIT_REASONS.map((reason) => [[reason], Number(reason === openReason)]),
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
    'How long calls waited for their permit.',
    WAIT_BUCKETS,
    { priority: PRIORITIES },
  )
  const permits = instruments.counter('quota_permits_total', 'Permits granted.', { priority: PRIORITIES })
  const wasted = instruments.counter(
    'quota_wasted_calls_total',
    'Calls that brought nothing: refused for there were too many, or answered for a record that was then asked for again.',
    { reason: WASTED_CALLS },
  )
  const wastedSlots = instruments.counter(
    'quota_wasted_slots_total',
    'Slots reserved in Redis that were not used in time.',
    {},
  )
  instruments.gauge('quota_limit_per_second', 'Calls allowed over all replicas.', [], () => [[[], limit]])
  instruments.gauge('quota_share_per_second', 'Calls allowed to this replica.', [], () => [[[], share]])
  instruments.gauge(
    'quota_rate_per_second',
    'Calls this replica lets through now: its share, less while it is throttled.',
    [],
    () => [[[], quota.rate]],
  )
  instruments.gauge('quota_waiting', 'Calls waiting for a permit.', ['priority'], () =>
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
