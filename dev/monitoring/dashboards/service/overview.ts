/** The figures to look at first, and the two objectives. */
import { AVAILABILITY_OBJECTIVE, FRESHNESS_OBJECTIVE } from '../../promql.ts'
import { WINDOWS } from '../../rules/slo.ts'
import type { Row } from '../dashboard.ts'
import { DASHED, chart, stat } from '../panels.ts'
import { metric, recorded, total } from '../queries.ts'

const figures: Row = {
  title: 'Now',
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
        title: 'Gate now',
        description: 'Closed: no calls are made, events wait and nothing is lost. The reason is below.',
        unit: 'none',
        width: 4,
        queries: [{ expr: `max(${metric('checkresult_circuit_open')})`, legend: 'gate' }],
      },
      { valueTexts: { '0': { text: 'open', color: 'green' }, '1': { text: 'closed', color: 'red' } } },
    ),
    stat(
      {
        title: 'Oldest event',
        description:
          'Age of the oldest event in hand that is due. The objective is a minute. No value: none is in hand.',
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
          'Calls permitted against the limit of all replicas, over 5 minutes. Near 100% a backlog cannot shrink.',
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
        description: 'Events in the time shown that became dead letters.',
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

/** 1 uses up exactly the budget of 30 days. */
function burn(ratio: string, objective: number): { expr: string; legend: string }[] {
  const shown = WINDOWS.filter((window) => ['5m', '1h', '6h', '3d'].includes(window))
  return shown.map((window) => ({
    expr: `${recorded(`${ratio}:ratio_rate${window}`)} / (1 - ${objective})`,
    legend: `over ${window}`,
  }))
}

const objectives: Row = {
  title: 'Objectives',
  panels: [
    chart(
      {
        title: 'Availability: how fast the budget burns',
        description:
          'Attempts without a usable answer, as a multiple of what is allowed: 0.1%. From 14.4 on over an hour, or 6 over six hours, somebody is woken.',
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
        title: 'Freshness: how fast the budget burns',
        description:
          'Results that took longer than a minute, as a multiple of what is allowed: 1%. Events of customers who were not done count too, once they waited on the second retry topic.',
        unit: 'none',
        width: 12,
        queries: [...burn('late_per_result', FRESHNESS_OBJECTIVE), { expr: 'vector(1)', legend: 'allowed' }],
      },
      { min: 0, overrides: { allowed: DASHED } },
    ),
  ],
}

export const overview: readonly Row[] = [figures, objectives]
