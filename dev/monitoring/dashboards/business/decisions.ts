/** Verdicts and risk, and what is usual. */
import type { Row } from '../dashboard.ts'
import { BAND_EDGE, DASHED, bandDownTo, chart } from '../panels.ts'
import { metric, rate, recorded } from '../queries.ts'

const RESULTS = 'checkresult_results_total'

interface Banded {
  readonly title: string
  readonly description: string
  readonly name: string
  readonly what: string
}

/** The rate of the last half hour, what the hours before make of it, and from where on an alert says so. */
function banded({ title, description, name, what }: Banded): ReturnType<typeof chart> {
  const usual = recorded(`${name}_before:ratio_rate6h`)
  const band = recorded(`${name}:band30m`)
  return chart(
    {
      title,
      description,
      unit: 'percentunit',
      width: 12,
      queries: [
        { expr: recorded(`${name}:ratio_rate30m`), legend: what },
        { expr: usual, legend: 'usual' },
        { expr: `clamp_max(${usual} + ${band}, 1)`, legend: 'highest usual' },
        { expr: `clamp_min(${usual} - ${band}, 0)`, legend: 'lowest usual' },
      ],
    },
    {
      share: name === 'pass_per_settled',
      min: 0,
      overrides: { usual: DASHED, 'highest usual': bandDownTo('lowest usual'), 'lowest usual': BAND_EDGE },
    },
  )
}

export const decisions: Row = {
  title: 'Decisions',
  panels: [
    banded({
      title: 'Pass rate and what is usual',
      description:
        'The last 30 minutes against the six hours before the last one. Outside the band it is no chance: CheckResultPassRateLow and CheckResultPassRateHigh fire. With few decisions the band is wide.',
      name: 'pass_per_settled',
      what: 'passed',
    }),
    banded({
      title: 'Risk rate and what is usual',
      description:
        'The last 30 minutes against the six hours before the last one. Above the band CheckResultRiskRateHigh fires.',
      name: 'risk_per_checked',
      what: 'risky',
    }),
    chart(
      {
        title: 'Results by verdict',
        description:
          'Results published a second. UNKNOWN is an answer without a verdict; it counts in neither rate.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric(RESULTS), 'verdict'), legend: '{{verdict}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart({
      title: 'How unusual the rates are',
      description:
        'Standard errors between the last 30 minutes and what is usual. Between -4 and 4 it may well be chance.',
      unit: 'none',
      width: 12,
      queries: [
        { expr: recorded('pass_per_settled:score30m'), legend: 'pass rate' },
        { expr: recorded('risk_per_checked:score30m'), legend: 'risk rate' },
      ],
    }),
  ],
}

const SPOOFS = metric('checkresult_spoof_signals_total')
const CHECKS = metric('checkresult_risk_checks_total')

export const risk: Row = {
  title: 'Risk',
  panels: [
    chart(
      {
        title: 'Risk rate by kind of forgery',
        description:
          'Share of the checked results that name this kind. A document may show several, so they do not add up to the risk rate.',
        unit: 'percentunit',
        width: 12,
        queries: [
          {
            expr: `${rate(SPOOFS, 'type')} / on () group_left () (${rate(metric('checkresult_risk_checks_total', 'result=~"risky|clean"'))} > 0)`,
            legend: '{{type}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'What was said about risk',
        description:
          'Results a second: risky, clean, or nothing said. Much of the last means that the product does not check.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(CHECKS, 'result'), legend: '{{result}}' }],
      },
      { stacked: true, min: 0 },
    ),
  ],
}
