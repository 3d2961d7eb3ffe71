import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { businessDashboard } from '../../../../dev/monitoring/dashboards/business.ts'
import { serviceDashboard } from '../../../../dev/monitoring/dashboards/service.ts'
import { FRESH_SECONDS } from '../../../../dev/monitoring/promql.ts'
import { RECORDINGS, allAlerts, ruleFiles } from '../../../../dev/monitoring/rules.ts'
import { CIRCUIT_ALERTS } from '../../../../dev/monitoring/rules/upstream.ts'
import { CIRCUIT_REASONS } from '../../../../src/core/circuit-breaker.ts'
import { exposed, knownMetrics, unknownIn } from '../../../support/known-metrics.ts'
import { parseQuery } from '../../../support/promql.ts'

const known = await knownMetrics()
const recordings = RECORDINGS.flatMap(({ rules }) => rules)
const names = (all: readonly string[]): string[] => all.filter((name, at) => all.indexOf(name) !== at)

test.each(recordings)('$record asks for what there is', ({ expr }) => {
  expect(unknownIn(expr, known)).toEqual([])
})

test.each(recordings)(
  '$record is named level:metric:operations, and belongs to a service',
  ({ record, expr }) => {
    expect(record).toMatch(/^checkresult:[a-z_]+:[a-z0-9_]+$/)
    const { selectors, grouping } = parseQuery(expr)
    const recorded = selectors.every(({ metric }) => metric.startsWith('checkresult:'))
    expect(recorded || grouping.join(' ').includes('namespace job')).toBe(true)
    expect(grouping).not.toContain('instance')
  },
)

test('no name is used twice', () => {
  expect(names(recordings.map(({ record }) => record))).toEqual([])
  expect(names(allAlerts.map(({ alert }) => alert))).toEqual([])
})

test('the names of the contract are recorded', () => {
  const recorded = recordings.map(({ record }) => record)
  expect(recorded).toContain('checkresult:pass_per_settled:ratio_rate5m')
  expect(recorded).toContain('checkresult:risk_per_checked:ratio_rate5m')
})

test('a bucket ends where an event is no longer fresh', async () => {
  const bounds = (await exposed()).get('checkresult_end_to_end_seconds')?.labels.get('le')
  expect([...(bounds ?? [])]).toContain(String(FRESH_SECONDS))
})

describe.each(allAlerts)('$alert', (alert) => {
  test('asks for what there is', () => {
    expect(unknownIn(alert.expr, known)).toEqual([])
  })

  test('has the name, the messages and the severity of the convention', () => {
    expect(alert.alert).toMatch(/^CheckResult[A-Z][A-Za-z]+$/)
    expect(alert.for).toMatch(/^\d+m$/)
    expect(['critical', 'warning', 'info']).toContain(alert.severity)
    expect(alert.summary).toMatch(/^[A-Z][^{}]*\.$/)
    expect(alert.description).toMatch(/^(?=.*\{\{ \$labels\.job \}\})[A-Z{].*\.$/)
  })

  test('names only labels that its expression leaves', () => {
    const { grouping } = parseQuery(alert.expr)
    const used = [...alert.description.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label)
    const left = new Set(['job', ...grouping])
    expect(used.filter((label) => !left.has(label))).toEqual([])
  })

  test('leads to a panel that shows something it asks for', () => {
    const board = alert.dashboard === 'business' ? businessDashboard() : serviceDashboard()
    const panel = board.panels?.find(({ title }) => title === alert.panel)
    const shown = metrics(JSON.stringify(panel ?? {}))
    expect(board.uid).toBe(`checkresult-${alert.dashboard}`)
    expect(metrics(alert.expr).filter((metric) => shown.includes(metric))).not.toEqual([])
  })
})

/** Names of metrics, of what recorded ones are made of too, without what a histogram adds. */
function metrics(text: string): string[] {
  const found = recordings.filter(({ record }) => text.includes(record)).flatMap(({ expr }) => metrics(expr))
  const raw = text.match(/\b(?:checkresult|nodejs)_[a-z0-9_]+/g) ?? []
  return [...found, ...raw.map((name) => name.replace(/_(bucket|sum|count)$/, ''))]
}

test('there is an alert for each reason why the circuit breaker may be open', () => {
  expect(Object.keys(CIRCUIT_ALERTS)).toEqual([...CIRCUIT_REASONS])
})

test('the rule files hold every rule, with its severity, its texts and where to read on', () => {
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
