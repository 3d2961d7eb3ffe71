/**
 * The two service level objectives and their multi-window burn-rate alerts, as in the SRE workbook. An error budget covers 30
 * days. The long window prevents alerts on short spikes and the short window lets them clear quickly. At least ten events
 * must have gone wrong, because with little traffic one bad event is a large share.
 *
 * Availability counts attempts that the API answered. Attempts before the customer was done do not count. While the circuit
 * breaker is open there are no attempts; it has its own alerts.
 */
import {
  AVAILABILITY_OBJECTIVE,
  FRESH,
  FRESHNESS_OBJECTIVE,
  FRESH_SECONDS,
  SERVICE,
  promql,
} from '../promql.ts'
import type { Alert, Group, Recording, Severity } from '../rule.ts'

interface Objective {
  readonly name: string
  readonly objective: number
  /** Name of the recorded number of bad events. */
  readonly bad: string
  /** Name of the recorded ratio. */
  readonly ratio: string
  readonly badIn: (window: string) => string
  readonly allIn: (window: string) => string
  /** For the description: which events, and what went wrong with them. */
  readonly wrong: readonly [what: string, did: string]
  readonly panel: string
}

const DEFERRED = 'checkresult_deferred_total{reason="unavailable"}'
const GIVEN_UP =
  'checkresult_dead_letters_total{reason=~"unavailable|refused|unknown-code|unreadable-answer"}'
const DEAD = 'checkresult_dead_letters_total{reason!="not-completed"}'
/** Counts each result once, in three series instead of hundreds. */
const RESULTS = 'checkresult_risk_checks_total'
/** Results, without those of events with an implausible timestamp. */
const TIMED_RESULTS = 'checkresult_end_to_end_seconds_count'

const sum = (series: string, window: string): string => `sum by (${SERVICE}) (increase(${series}[${window}]))`

export const OBJECTIVES: readonly Objective[] = [
  {
    name: 'Availability',
    objective: AVAILABILITY_OBJECTIVE,
    bad: 'errors',
    ratio: 'errors_per_attempt',
    badIn: (window) => `${sum(DEFERRED, window)} + ${sum(GIVEN_UP, window)}`,
    allIn: (window) => `${sum(RESULTS, window)} + ${sum(DEFERRED, window)} + ${sum(DEAD, window)}`,
    wrong: ['attempts', 'got no usable answer'],
    panel: 'Availability: error budget burn rate',
  },
  {
    name: 'Freshness',
    objective: FRESHNESS_OBJECTIVE,
    bad: 'late',
    ratio: 'late_per_result',
    badIn: (window) =>
      `${sum(TIMED_RESULTS, window)} - ${sum(`checkresult_end_to_end_seconds_bucket{${FRESH}}`, window)}`,
    allIn: (window) => sum(TIMED_RESULTS, window),
    wrong: ['results', `took longer than ${FRESH_SECONDS} seconds`],
    panel: 'Freshness: error budget burn rate',
  },
]

interface Burn {
  readonly long: string
  readonly short: string
  /** Burn rate: 1 uses up the budget in exactly 30 days. */
  readonly factor: number
}

/** 2 % of the budget in an hour, or 5 % in six hours: pages somebody. */
const FAST: readonly Burn[] = [
  { long: '1h', short: '5m', factor: 14.4 },
  { long: '6h', short: '30m', factor: 6 },
]
/** 10 % of the budget in one day or in three days: can wait for working hours. */
const SLOW: readonly Burn[] = [
  { long: '1d', short: '2h', factor: 3 },
  { long: '3d', short: '6h', factor: 1 },
]

export const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d']
const MIN_BAD = 10

export const sloRecordings: Group<Recording> = {
  name: 'checkresult-objectives',
  rules: OBJECTIVES.flatMap((objective) => [
    ...WINDOWS.map((window) => ({
      record: `checkresult:${objective.ratio}:ratio_rate${window}`,
      expr: promql`
        (${objective.badIn(window)})
        /
        (${objective.allIn(window)} > 0)
      `,
    })),
    ...[...FAST, ...SLOW].map(({ long }) => ({
      record: `checkresult:${objective.bad}:increase${long}`,
      expr: objective.badIn(long),
    })),
  ]),
}

export const sloAlerts: Group<Alert> = {
  name: 'checkresult-objectives-alerts',
  rules: OBJECTIVES.flatMap((objective) => [
    burnAlert(objective, { suffix: '', severity: 'critical', burns: FAST, span: '1 or 6 hours', for: '2m' }),
    burnAlert(objective, {
      suffix: 'Slow',
      severity: 'warning',
      burns: SLOW,
      span: '1 or 3 days',
      for: '15m',
    }),
  ]),
}

interface Pace {
  readonly suffix: string
  readonly severity: Severity
  readonly burns: readonly Burn[]
  /** The long windows, for the description. */
  readonly span: string
  readonly for: string
}

function burnAlert(objective: Objective, { suffix, severity, burns, span, for: duration }: Pace): Alert {
  const {
    name,
    objective: share,
    bad,
    ratio,
    wrong: [what, did],
    panel,
  } = objective
  const burning = ({ long, short, factor }: Burn): string => promql`
    (
      checkresult:${ratio}:ratio_rate${long} > ${factor} * (1 - ${share})
      and checkresult:${ratio}:ratio_rate${short} > ${factor} * (1 - ${share})
      and checkresult:${bad}:increase${long} >= ${MIN_BAD}
    )
  `
  const pace = severity === 'critical' ? 'within days' : 'before its 30 days are over'
  return {
    alert: `CheckResult${name}BudgetBurn${suffix}`,
    severity,
    expr: burns.map(burning).join('\nor\n'),
    for: duration,
    summary: `At this rate, the ${name.toLowerCase()} error budget is used up ${pace}.`,
    description: `{{ $value | humanizePercentage }} of the ${what} of {{ $labels.job }} in the last ${span} ${did}. The objective allows ${percent(1 - share)} over 30 days.`,
    dashboard: 'service',
    panel,
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`
}
