import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { businessDashboard } from '../../../../dev/monitoring/dashboards/business.ts'
import { serviceDashboard } from '../../../../dev/monitoring/dashboards/service.ts'
import { FRESH_SECONDS } from '../../../../dev/monitoring/promql.ts'
import { RECORDINGS, allAlerts, ruleFiles } from '../../../../dev/monitoring/rules.ts'
import { CIRCUIT_ALERTS } from '../../../../dev/monitoring/rules/upstream.ts'
import { CIRCUIT_REASONS } from '../../../../src/core/calls/circuit-breaker.ts'
import { exposed, knownMetrics, unknownIn } from '../../../support/known-metrics.ts'
import { parseQuery } from '../../../support/promql.ts'

const known = await knownMetrics()
const recordings = RECORDINGS.flatMap(({ rules }) => rules)
const names = (all: readonly string[]): string[] => all.filter((name, at) => all.indexOf(name) !== at)

test.each(recordings)('$record queries only existing series', ({ expr }) => {
  expect(unknownIn(expr, known)).toEqual([])
})

test.each(recordings)(
  '$record is named level:metric:operations and is scoped to the service',
  ({ record, expr }) => {
    expect(record).toMatch(/^checkresult:[a-z_]+:[a-z0-9_]+$/)
    const { selectors, grouping } = parseQuery(expr)
    const recorded = selectors.every(({ metric }) => metric.startsWith('checkresult:'))
    expect(recorded || grouping.join(' ').includes('namespace job')).toBe(true)
    expect(grouping).not.toContain('instance')
  },
)

test('recording rule names are unique', () => {
  expect(names(recordings.map(({ record }) => record))).toEqual([])
  expect(names(allAlerts.map(({ alert }) => alert))).toEqual([])
})

test('records every series name of the monitoring contract', () => {
  const recorded = recordings.map(({ record }) => record)
  expect(recorded).toContain('checkresult:pass_per_settled:ratio_rate5m')
  expect(recorded).toContain('checkresult:risk_per_checked:ratio_rate5m')
})

test('the latency histogram has a bucket bound at the freshness limit', async () => {
  const bounds = (await exposed()).get('checkresult_end_to_end_seconds')?.labels.get('le')
  expect([...(bounds ?? [])]).toContain(String(FRESH_SECONDS))
})

describe.each(allAlerts)('alert $alert', (alert) => {
  test('queries only existing series', () => {
    expect(unknownIn(alert.expr, known)).toEqual([])
  })

  test('has a conventional name, annotations and severity', () => {
    expect(alert.alert).toMatch(/^CheckResult[A-Z][A-Za-z]+$/)
    expect(alert.for).toMatch(/^\d+m$/)
    expect(['critical', 'warning', 'info']).toContain(alert.severity)
    expect(alert.summary).toMatch(/^[A-Z][^{}]*\.$/)
    expect(alert.description).toMatch(/^(?=.*\{\{ \$labels\.job \}\})[A-Z{].*\.$/)
  })

  test('uses only labels that its expression keeps', () => {
    const { grouping } = parseQuery(alert.expr)
    const used = [...alert.description.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label)
    const left = new Set(['job', ...grouping])
    expect(used.filter((label) => !left.has(label))).toEqual([])
  })

  test('links to a panel that shows one of its metrics', () => {
    const board = alert.dashboard === 'business' ? businessDashboard() : serviceDashboard()
    const panel = board.panels?.find(({ title }) => title === alert.panel)
    const shown = metrics(JSON.stringify(panel ?? {}))
    expect(board.uid).toBe(`checkresult-${alert.dashboard}`)
    expect(metrics(alert.expr).filter((metric) => shown.includes(metric))).not.toEqual([])
  })
})

/** Metric names without histogram suffixes, including those that recorded series are made of. */
function metrics(text: string): string[] {
  const found = recordings.filter(({ record }) => text.includes(record)).flatMap(({ expr }) => metrics(expr))
  const raw = text.match(/\b(?:checkresult|nodejs)_[a-z0-9_]+/g) ?? []
  return [...found, ...raw.map((name) => name.replace(/_(bucket|sum|count)$/, ''))]
}

test('each circuit breaker reason has an alert', () => {
  expect(Object.keys(CIRCUIT_ALERTS)).toEqual([...CIRCUIT_REASONS])
})

test('the rule files contain every rule with its severity, annotations and runbook link', () => {
  const groups = Object.values(ruleFiles()).flatMap(
    (text) => (parse(text) as { groups: { rules: Record<string, unknown>[] }[] }).groups,
  )
  const rules = groups.flatMap((group) => group.rules)
  expect(rules).toHaveLength(recordings.length + allAlerts.length)
  const [first] = allAlerts
  expect(rules.find(({ alert }) => alert === first?.alert)).toEqual({
    alert: 'CheckResultDown',
    expr: first?.expr,
    for: '5m',
    labels: { severity: 'critical' },
    annotations: {
      summary: 'No replica answers Prometheus.',
      description: first?.description,
      runbook_url: 'docs/runbook.md#checkresultdown',
      dashboard_url: '/d/checkresult-service?var-job={{ $labels.job }}',
    },
  })
})
