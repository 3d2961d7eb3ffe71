/** Input series for promtool: those of a healthy service, changed by a fault. A step is the time between two samples. */
import { DEAD_LETTER_REASONS } from '../../../src/core/dead-letters/dead-letter.ts'
import { DEFER_REASONS } from '../../../src/core/records/defer.ts'
import { CIRCUIT_REASONS } from '../../../src/core/calls/circuit-breaker.ts'
import { CALL_OUTCOMES, FOREIGN_KINDS } from '../../../src/ports.ts'

export type Labels = Readonly<Record<string, string>>

export interface Series {
  readonly name: string
  readonly labels: Labels
  /** In promtool's notation. */
  readonly values: string
}

/** An amount for a number of steps. */
export type Stretch = readonly [amount: number, steps: number]

/** A gauge that stays at each value in turn. */
export function level(...stretches: readonly Stretch[]): string {
  return stretches.map(([value, steps]) => `${value}+0x${steps - 1}`).join(' ')
}

/** A counter that grows by each amount per step in turn. */
export function grows(...stretches: readonly Stretch[]): string {
  let at = 0
  return stretches
    .map(([by, steps]) => {
      const part = `${round(at)}+${by}x${steps - 1}`
      at += by * steps
      return part
    })
    .join(' ')
}

/** A series that disappears. */
export function gone(steps: number): string {
  return `stale _x${steps - 1}`
}

function round(value: number): number {
  return Number(value.toFixed(6))
}

export interface Healthy {
  readonly steps: number
  readonly stepSeconds: number
  /** Events per minute at each replica. 0 is an idle service. */
  readonly perMinute: number
}

export const JOB = { namespace: 'kyc', job: 'checkresult-stream' }
const INPUT = 'verification.completed'

/** Two healthy replicas: nine of ten verifications pass, one of fifty is risky. */
export function healthy(service: Healthy): Series[] {
  const always = (value: number): string => level([value, service.steps])
  // An unhealthy service that is not ours and must not cause an alert.
  const labels = { ...JOB, job: 'other', instance: 'c' }
  return [
    ...replica('a', '0', service),
    ...replica('b', '1', service),
    { name: 'up', labels, values: always(0) },
    { name: 'nodejs_eventloop_lag_p99_seconds', labels, values: always(3) },
  ]
}

function none(set: readonly string[], values: string): Record<string, string> {
  return Object.fromEntries(set.map((value) => [value, values]))
}

function replica(instance: string, partition: string, { steps, stepSeconds, perMinute }: Healthy): Series[] {
  const perStep = (perMinute * stepSeconds) / 60
  const pace = (share: number): string => grows([round(share * perStep), steps])
  const always = (value: number): string => level([value, steps])
  /** A timestamp that is always this many seconds in the future. */
  const ahead = (seconds: number): string => `${seconds}+${stepSeconds}x${steps - 1}`
  const busy = perMinute > 0
  const one = (name: string, values: string, labels: Labels = {}): Series => ({
    name,
    labels: { ...JOB, instance, ...labels },
    values,
  })
  const each = (name: string, label: string, values: Readonly<Record<string, string>>): Series[] =>
    Object.entries(values).map(([value, all]) => one(name, all, { [label]: value }))
  return [
    one('up', always(1)),
    one('checkresult_build_info', always(1), { version: '1.2.3', revision: 'abc1234', node: 'v26.10.0' }),
    one('checkresult_last_heartbeat_timestamp_seconds', ahead(0)),
    ...each('checkresult_circuit_open', 'reason', none(CIRCUIT_REASONS, always(0))),
    one('checkresult_results_total', pace(0.9), { verdict: 'PASSED', sub_code: '200', family: 'PASSPORT' }),
    one('checkresult_results_total', pace(0.1), { verdict: 'FAILED', sub_code: '201', family: 'PASSPORT' }),
    one('checkresult_end_to_end_seconds_count', pace(1)),
    // Prometheus 2 and Prometheus 3 write the bound differently.
    one('checkresult_end_to_end_seconds_bucket', pace(1), { le: instance === 'a' ? '60' : '60.0' }),
    ...each('checkresult_risk_checks_total', 'result', {
      risky: pace(0.02),
      clean: pace(0.98),
      absent: pace(0),
    }),
    ...each('checkresult_deferred_total', 'reason', {
      ...none(DEFER_REASONS, pace(0)),
      'not-completed': pace(0.1),
    }),
    ...each('checkresult_dead_letters_total', 'reason', none(DEAD_LETTER_REASONS, pace(0))),
    one('checkresult_duplicates_total', pace(0.05)),
    ...each('checkresult_foreign_records_total', 'kind', none(FOREIGN_KINDS, pace(0))),
    one('checkresult_unreadable_documents_total', pace(0)),
    one('checkresult_verdict_disagreements_total', pace(0)),
    ...each('checkresult_requests_total', 'code', {
      Success: pace(1),
      ProcessNotCompleted: pace(0.1),
      'Throttling.Api': pace(0),
    }),
    ...each('checkresult_request_duration_seconds_count', 'outcome', {
      ...none(CALL_OUTCOMES, pace(0)),
      final: pace(1),
      deferred: pace(0.1),
    }),
    one('checkresult_quota_limit_per_second', always(10)),
    one('checkresult_quota_share_per_second', always(5)),
    one('checkresult_quota_permits_total', pace(1.1), { priority: 'fresh' }),
    one('checkresult_quota_wait_seconds_bucket', pace(1.1), { priority: 'fresh', le: '0.1' }),
    one('checkresult_quota_wait_seconds_bucket', pace(1.1), { priority: 'fresh', le: '10' }),
    one('checkresult_quota_wait_seconds_bucket', pace(1.1), { priority: 'fresh', le: '+Inf' }),
    one('checkresult_credentials_expiry_timestamp_seconds', ahead(3_000)),
    ...each('checkresult_credential_refreshes_total', 'outcome', {
      ok: grows([0.02, steps]),
      failed: always(0),
    }),
    one('checkresult_consumer_lag_records', always(busy ? 3 : 0), { topic: INPUT, partition }),
    // Events on a retry topic are not due yet, so neither their number nor their age must cause an alert.
    one('checkresult_consumer_lag_records', grows([30, steps]), { topic: `${INPUT}.retry.10m`, partition }),
    one('checkresult_oldest_unsettled_timestamp_seconds', always(0), {
      topic: `${INPUT}.retry.10m`,
      partition,
    }),
    ...(busy
      ? [one('checkresult_oldest_unsettled_timestamp_seconds', ahead(-1), { topic: INPUT, partition })]
      : []),
    // These series do not exist for a healthy service.
    one('checkresult_partition_blocked_offset', `_x${steps}`, {
      topic: INPUT,
      partition,
      code: 'MESSAGE_TOO_LARGE',
    }),
    one('checkresult_partition_leader_silent_seconds', `_x${steps}`, { topic: INPUT, partition }),
    one('checkresult_open_transaction_seconds', `_x${steps}`, { topic: INPUT, partition }),
    one('checkresult_offsets_lost_total', always(0), { topic: INPUT }),
    one('checkresult_rebalances_total', always(2)),
    ...each('checkresult_transactions_total', 'outcome', {
      committed: pace(0.8),
      fenced: pace(0),
      failed: pace(0),
    }),
    ...each('checkresult_publishes_total', 'outcome', none(['acknowledged', 'failed'], pace(0))),
    ...each('checkresult_offset_commits_total', 'outcome', none(['committed', 'failed'], pace(0))),
    ...each('checkresult_schema_registry_requests_total', 'outcome', {
      ok: always(3),
      'not-found': always(0),
      failed: always(0),
    }),
    one('checkresult_schema_registry_waiting_records', always(0)),
    one('nodejs_eventloop_lag_p99_seconds', always(0.02)),
  ]
}

/** New values by series: the name of a metric and some of its labels in braces. */
export type Faults = Readonly<Record<string, string>>

/** Replaces the values of series. Throws if a series does not exist. */
export function disturbed(series: readonly Series[], faults: Faults): Series[] {
  return Object.entries(faults).reduce<Series[]>(
    (all, [which, values]) => {
      const { name, labels } = parse(which)
      const hit = (one: Series): boolean =>
        one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value)
      if (!all.some(hit)) throw new Error(`A healthy service has no ${which}.`)
      return all.map((one) => (hit(one) ? { ...one, values } : one))
    },
    [...series],
  )
}

function parse(which: string): { name: string; labels: Labels } {
  const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(which) ?? []
  return {
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]),
    ),
  }
}

export function text({ name, labels }: Series): string {
  return `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`
}
