/** Rows on verdicts and risk, compared with usual values. */
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

/** The rate of the last half hour, the usual rate, and the band outside of which an alert fires. */
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
        { expr: `clamp_max(${usual} + ${band}, 1)`, legend: 'upper limit' },
        { expr: `clamp_min(${usual} - ${band}, 0)`, legend: 'lower limit' },
      ],
    },
    {
      share: name === 'pass_per_settled',
      min: 0,
      overrides: { usual: DASHED, 'upper limit': bandDownTo('lower limit'), 'lower limit': BAND_EDGE },
    },
  )
}

export const decisions: Row = {
  title: 'Decisions',
  panels: [
    banded({
      title: 'Pass rate compared with usual',
      description:
        'Pass rate of the last 30 minutes, compared with the six hours that ended one hour ago. Outside the band, CheckResultPassRateLow or CheckResultPassRateHigh fires. With few decisions the band is wide.',
      name: 'pass_per_settled',
      what: 'pass rate',
    }),
    banded({
      title: 'Risk rate compared with usual',
      description:
        'Risk rate of the last 30 minutes, compared with the six hours that ended one hour ago. Above the band, CheckResultRiskRateHigh fires.',
      name: 'risk_per_checked',
      what: 'risk rate',
    }),
    chart(
      {
        title: 'Results by verdict',
        description: 'Results per second. UNKNOWN is a result without a verdict. It counts in neither rate.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric(RESULTS), 'verdict'), legend: '{{verdict}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart({
      title: 'Deviation from the usual rates',
      description:
        'Difference between the last 30 minutes and the usual rate, in standard errors. Values between -4 and 4 may be chance.',
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
        title: 'Risk rate by type of forgery',
        description:
          'Share of the checked results with this type of forgery. A document can have several, so the lines do not add up to the risk rate.',
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
        title: 'Results by risk check',
        description:
          'Results per second. risky: forgery or attack found. clean: nothing found. absent: the answer says nothing about risk; if most are absent, the product does not check for risk.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(CHECKS, 'result'), legend: '{{result}}' }],
      },
      { stacked: true, min: 0 },
    ),
  ],
}
