/** The most important numbers of the service, and the two service level objectives. */
import { AVAILABILITY_OBJECTIVE, FRESHNESS_OBJECTIVE } from '../../promql.ts'
import { WINDOWS } from '../../rules/slo.ts'
import type { Row } from '../dashboard.ts'
import { DASHED, chart, stat } from '../panels.ts'
import { metric, recorded, total } from '../queries.ts'

const figures: Row = {
  title: 'Overview',
  panels: [
    stat(
      {
        title: 'Replicas',
        description: 'Replicas that answer Prometheus.',
        unit: 'short',
        width: 4,
        queries: [{ expr: `count(${metric('checkresult_build_info')})`, legend: 'replicas' }],
      },
      {
        colors: [
          [null, 'red'],
          [1, 'green'],
        ],
      },
    ),
    stat(
      {
        title: 'Circuit breaker now',
        description:
          'Open means that at least one replica has paused its calls: events wait and none is lost. The panel "Circuit breaker" shows the reason.',
        unit: 'none',
        width: 4,
        queries: [{ expr: `max(${metric('checkresult_circuit_open')})`, legend: 'circuit breaker' }],
      },
      { valueTexts: { '0': { text: 'closed', color: 'green' }, '1': { text: 'open', color: 'red' } } },
    ),
    stat(
      {
        title: 'Oldest event',
        description:
          'Age of the oldest buffered event that is due. The objective is a minute. No value means that no event is buffered.',
        unit: 's',
        width: 4,
        queries: [{ expr: recorded('oldest_unsettled_age_seconds:max'), legend: '{{job}}' }],
      },
      {
        decimals: 1,
        colors: [
          [null, 'green'],
          [30, 'orange'],
          [60, 'red'],
        ],
      },
    ),
    stat(
      {
        title: 'Quota used',
        description:
          'Granted permits as a share of the limit, over all replicas and 5 minutes. Near 100% a backlog cannot shrink.',
        unit: 'percentunit',
        width: 4,
        queries: [{ expr: recorded('quota_used_per_limit:ratio_rate5m'), legend: '{{job}}' }],
      },
      {
        decimals: 0,
        colors: [
          [null, 'green'],
          [0.8, 'orange'],
          [0.95, 'red'],
        ],
      },
    ),
    stat(
      {
        title: 'Backlog',
        description: 'Events on the input topic without a committed output.',
        unit: 'short',
        width: 4,
        queries: [{ expr: recorded('consumer_lag_records:sum'), legend: '{{job}}' }],
      },
      { decimals: 0 },
    ),
    stat(
      {
        title: 'Dead letters',
        description: 'Events that became dead letters in the selected time range.',
        unit: 'short',
        width: 4,
        queries: [{ expr: total(metric('checkresult_dead_letters_total')), legend: 'dead letters' }],
      },
      {
        total: true,
        decimals: 0,
        colors: [
          [null, 'green'],
          [1, 'orange'],
        ],
      },
    ),
  ],
}

/** Burn rates: 1 uses up the budget in exactly 30 days. */
function burn(ratio: string, objective: number): { expr: string; legend: string }[] {
  const shown = WINDOWS.filter((window) => ['5m', '1h', '6h', '3d'].includes(window))
  return shown.map((window) => ({
    expr: `${recorded(`${ratio}:ratio_rate${window}`)} / (1 - ${objective})`,
    legend: `over ${window}`,
  }))
}

const objectives: Row = {
  title: 'Service level objectives',
  panels: [
    chart(
      {
        title: 'Availability: error budget burn rate',
        description:
          'Attempts without a usable answer, as a multiple of the allowed 0.1%. 14.4 over one hour or 6 over six hours pages somebody.',
        unit: 'none',
        width: 12,
        queries: [
          ...burn('errors_per_attempt', AVAILABILITY_OBJECTIVE),
          { expr: 'vector(1)', legend: 'allowed' },
        ],
      },
      { min: 0, overrides: { allowed: DASHED } },
    ),
    chart(
      {
        title: 'Freshness: error budget burn rate',
        description:
          'Results that took longer than a minute, as a multiple of the allowed 1%. Includes events of customers who were not done, from the second retry topic on.',
        unit: 'none',
        width: 12,
        queries: [...burn('late_per_result', FRESHNESS_OBJECTIVE), { expr: 'vector(1)', legend: 'allowed' }],
      },
      { min: 0, overrides: { allowed: DASHED } },
    ),
  ],
}

export const overview: readonly Row[] = [figures, objectives]
