/**
 * Pass rate and risk rate, and when they are unlike themselves.
 *
 * Rates of a few hundred decisions swing by chance alone, and by how much is known: the score is that of two proportions,
 * the last half hour against the six hours that ended an hour ago (so that what is looked at does not teach what is usual).
 * It says "unusual" from four standard errors on, and from a difference on that somebody would care about; never with few
 * decisions on either side.
 */
import { SERVICE, promql } from '../promql.ts'
import type { Alert, Group, Recording } from '../rule.ts'

interface Rate {
  /** Of the recorded ratio. */
  readonly name: string
  /** What it is a share of. */
  readonly of: string
  readonly counted: string
  readonly all: string
  /** The least difference to speak of. */
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
/** So many risky ones would have been expected: that none came is no accident (e to the power of -10). */
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

/** Enough was decided, in the half hour and before. */
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
        '{{ $value | humanizePercentage }} of the verifications of {{ $labels.job }} passed in the last 30 minutes, below the band around the hours before.',
      dashboard: 'business',
      panel: 'Pass rate and what is usual',
    },
    {
      // After a low that lasted, the low is what is usual, and normal looks high.
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
        '{{ $value | humanizePercentage }} of the verifications of {{ $labels.job }} passed in the last 30 minutes, above the band around the hours before.',
      dashboard: 'business',
      panel: 'Pass rate and what is usual',
    },
    {
      alert: 'CheckResultRiskRateHigh',
      severity: 'warning',
      expr: promql`
        checkresult:risk_per_checked:ratio_rate30m > ${band('risk_per_checked', '+')}
        ${enough('checked')}
      `,
      for: '10m',
      summary: 'Far more verifications show forgery or attack than usual.',
      description:
        '{{ $value | humanizePercentage }} of the checked verifications of {{ $labels.job }} were risky in the last 30 minutes, above the band around the hours before.',
      dashboard: 'business',
      panel: 'Risk rate and what is usual',
    },
    {
      alert: 'CheckResultRiskRateExtreme',
      severity: 'critical',
      expr: promql`
        checkresult:risk_per_checked:ratio_rate30m > ${RISK_CEILING}
        and checkresult:checked:increase30m >= ${MIN_DECISIONS}
      `,
      for: '10m',
      summary: 'A third of all verifications show forgery or attack.',
      description:
        '{{ $value | humanizePercentage }} of the checked verifications of {{ $labels.job }} were risky in the last 30 minutes.',
      dashboard: 'business',
      panel: 'Risk rate and what is usual',
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
      summary: 'No forgery or attack is found any more, though some would be expected.',
      description:
        'About {{ $value | humanize }} risky verifications of {{ $labels.job }} would be expected in 30 minutes, going by the hours before, and there was none.',
      dashboard: 'business',
      panel: 'Risk rate and what is usual',
    },
  ],
}
