/**
 * Pass rate and risk rate, and alerts when they differ from their usual values.
 *
 * Rates of a few hundred decisions vary by chance, so the alerts use a significance test of two proportions: the last half
 * hour against six hours that ended an hour ago, so that the period under test does not define what is usual. They fire from
 * four standard errors and a minimum difference on, and never with few decisions on either side.
 */
import { SERVICE, promql } from '../promql.ts'
import type { Alert, Group, Recording } from '../rule.ts'

interface Rate {
  /** Name of the recorded ratio. */
  readonly name: string
  /** Name of the total. */
  readonly of: string
  readonly counted: string
  readonly all: string
  /** Smallest difference that is worth an alert. */
  readonly minEffect: number
}

const RATES: readonly Rate[] = [
  {
    name: 'pass_per_settled',
    of: 'settled',
    counted: 'checkresult_results_total{verdict="PASSED"}',
    all: 'checkresult_results_total{verdict=~"PASSED|FAILED"}',
    minEffect: 0.05,
  },
  {
    name: 'risk_per_checked',
    of: 'checked',
    counted: 'checkresult_risk_checks_total{result="risky"}',
    all: 'checkresult_risk_checks_total{result=~"risky|clean"}',
    minEffect: 0.03,
  },
]

const STANDARD_ERRORS = 4
const MIN_DECISIONS = 50
const MIN_DECISIONS_BEFORE = 200
/** If this many risky results are expected, the probability of none by chance is e^-10. */
const EXPECTED_RISKY = 10
const RISK_CEILING = 0.3

export const anomalyRecordings: Group<Recording> = {
  name: 'checkresult-rates',
  rules: RATES.flatMap(recordings),
}

function recordings({ name, of, counted, all, minEffect }: Rate): Recording[] {
  const ratio = (fn: 'rate' | 'increase', range: string): string => promql`
    sum by (${SERVICE}) (${fn}(${counted}[${range}))
    /
    (sum by (${SERVICE}) (${fn}(${all}[${range})) > 0)
  `
  const now = `checkresult:${name}:ratio_rate30m`
  const usual = `checkresult:${name}_before:ratio_rate6h`
  const [count, countBefore] = [`checkresult:${of}:increase30m`, `checkresult:${of}_before:increase6h`]
  return [
    { record: `checkresult:${name}:ratio_rate5m`, expr: ratio('rate', '5m]') },
    { record: now, expr: ratio('rate', '30m]') },
    { record: usual, expr: ratio('rate', '6h] offset 1h') },
    { record: count, expr: `sum by (${SERVICE}) (increase(${all}[30m]))` },
    { record: countBefore, expr: `sum by (${SERVICE}) (increase(${all}[6h] offset 1h))` },
    {
      record: `checkresult:${name}:stderr30m`,
      expr: promql`
        sqrt(
          clamp_min(${usual} * (1 - ${usual}), 0.0001)
          *
          (1 / (${count} > 0) + 1 / (${countBefore} > 0))
        )
      `,
    },
    {
      record: `checkresult:${name}:score30m`,
      expr: `(${now} - ${usual}) / checkresult:${name}:stderr30m`,
    },
    {
      record: `checkresult:${name}:band30m`,
      expr: `clamp_min(${STANDARD_ERRORS} * checkresult:${name}:stderr30m, ${minEffect})`,
    },
  ]
}

/** There are enough decisions in the half hour and in the hours before. */
function enough(of: string): string {
  return promql`
    and checkresult:${of}:increase30m >= ${MIN_DECISIONS}
    and checkresult:${of}_before:increase6h >= ${MIN_DECISIONS_BEFORE}
  `
}

function band(name: string, sign: '-' | '+'): string {
  return `(checkresult:${name}_before:ratio_rate6h ${sign} checkresult:${name}:band30m)`
}

export const anomalyAlerts: Group<Alert> = {
  name: 'checkresult-rates-alerts',
  rules: [
    {
      alert: 'CheckResultPassRateLow',
      severity: 'warning',
      expr: promql`
        checkresult:pass_per_settled:ratio_rate30m < ${band('pass_per_settled', '-')}
        ${enough('settled')}
      `,
      for: '10m',
      summary: 'Far fewer verifications pass than usual.',
      description:
        '{{ $value | humanizePercentage }} of the verifications of {{ $labels.job }} passed in the last 30 minutes, which is below the usual range of the hours before.',
      dashboard: 'business',
      panel: 'Pass rate compared with usual',
    },
    {
      // After a long low, the low is what is usual, so a normal rate would look high.
      alert: 'CheckResultPassRateHigh',
      severity: 'warning',
      expr: promql`
        checkresult:pass_per_settled:ratio_rate30m > ${band('pass_per_settled', '+')}
        ${enough('settled')}
        unless on (${SERVICE}) present_over_time(ALERTS{alertname="CheckResultPassRateLow", alertstate="firing"}[8h])
      `,
      for: '10m',
      summary: 'Far more verifications pass than usual.',
      description:
        '{{ $value | humanizePercentage }} of the verifications of {{ $labels.job }} passed in the last 30 minutes, which is above the usual range of the hours before.',
      dashboard: 'business',
      panel: 'Pass rate compared with usual',
    },
    {
      alert: 'CheckResultRiskRateHigh',
      severity: 'warning',
      expr: promql`
        checkresult:risk_per_checked:ratio_rate30m > ${band('risk_per_checked', '+')}
        ${enough('checked')}
      `,
      for: '10m',
      summary: 'Far more verifications than usual show forgery or an attack.',
      description:
        '{{ $value | humanizePercentage }} of the checked verifications of {{ $labels.job }} were risky in the last 30 minutes, which is above the usual range of the hours before.',
      dashboard: 'business',
      panel: 'Risk rate compared with usual',
    },
    {
      alert: 'CheckResultRiskRateExtreme',
      severity: 'critical',
      expr: promql`
        checkresult:risk_per_checked:ratio_rate30m > ${RISK_CEILING}
        and checkresult:checked:increase30m >= ${MIN_DECISIONS}
      `,
      for: '10m',
      summary: 'More than three in ten checked verifications show forgery or an attack.',
      description:
        '{{ $value | humanizePercentage }} of the checked verifications of {{ $labels.job }} were risky in the last 30 minutes. The service publishes the risk with each result.',
      dashboard: 'business',
      panel: 'Risk rate compared with usual',
    },
    {
      alert: 'CheckResultRiskDetectionSilent',
      severity: 'warning',
      expr: promql`
        checkresult:risk_per_checked_before:ratio_rate6h
        * checkresult:checked:increase30m > ${EXPECTED_RISKY}
        and checkresult:risk_per_checked:ratio_rate30m == 0
      `,
      for: '10m',
      summary: 'Forgery and attacks are no longer detected.',
      description:
        'About {{ $value | humanize }} risky verifications of {{ $labels.job }} were expected in 30 minutes, based on the hours before, and none was found. The risk checks may be off.',
      dashboard: 'business',
      panel: 'Risk rate compared with usual',
    },
  ],
}
