/** The rules, evaluated by Prometheus. */
import { describe, expect, test } from 'vitest'
import { businessDashboard } from '../../dev/monitoring/dashboards/business.ts'
import { serviceDashboard } from '../../dev/monitoring/dashboards/service.ts'
import { allAlerts, dashboardUrl, runbookUrl } from '../../dev/monitoring/rules.ts'
import { setUp } from '../support/metrics.ts'
import type { Case } from './rules/case.ts'
import { deliveryCases } from './rules/delivery-cases.ts'
import { objectiveCases } from './rules/objective-cases.ts'
import { outcomeCases } from './rules/outcome-cases.ts'
import {
  RULE_FILES,
  checkExpressions,
  promtool,
  testRules,
  type Check,
  type Firing,
  type RuleTest,
} from './rules/promtool.ts'
import { rateCases } from './rules/rate-cases.ts'
import { replicaCases } from './rules/replica-cases.ts'
import { JOB, disturbed, healthy, type Series } from './rules/series.ts'
import { upstreamCases } from './rules/upstream-cases.ts'

const cases: readonly Case[] = [
  ...replicaCases,
  ...deliveryCases,
  ...upstreamCases,
  ...outcomeCases,
  ...rateCases,
  ...objectiveCases,
]

const PER_MINUTE = 10

/** A healthy service, long enough for the last check. */
function service(minutes: number, step: number, perMinute = PER_MINUTE): Series[] {
  return healthy({ steps: Math.ceil(minutes / step) + 1, stepSeconds: step * 60, perMinute })
}

/** Substitutes the variables as Grafana does. */
function expression(target: object): string {
  const { expr } = target as { expr: string }
  return expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '6h')
}

function firing({ alert, labels, description }: Case): Firing {
  const rule = allAlerts.find((one) => one.alert === alert)
  return {
    labels: { ...JOB, severity: rule?.severity ?? '', ...labels },
    annotations: {
      summary: rule?.summary ?? '',
      description,
      runbook_url: runbookUrl(alert),
      dashboard_url: dashboardUrl(rule?.dashboard ?? 'service').replace('{{ $labels.job }}', JOB.job),
    },
  }
}

function tests(one: Case): RuleTest[] {
  const { alert, faults, fires, clears, keepsFiring = [], silentAt, silent = {}, step = 1 } = one
  const quiet = (minute: number): Check => ({ alert, minute, firing: [] })
  return [
    {
      name: 'fires and clears',
      series: disturbed(service(clears, step), faults),
      checks: [
        ...(silentAt === undefined ? [] : [quiet(silentAt)]),
        ...[fires, ...keepsFiring].map((minute) => ({ alert, minute, firing: [firing(one)] })),
        quiet(clears),
      ],
    },
    ...Object.entries(silent).map(([name, { faults: other, at, perMinute }]) => ({
      name: `silent: ${name}`,
      series: disturbed(service(at, step, perMinute), other),
      checks: [quiet(at)],
    })),
  ]
}

test.concurrent.each(cases)('$alert fires for its fault only, and clears', async (one) => {
  expect(await testRules(tests(one), one.step ?? 1)).toContain('SUCCESS')
})

test('every alert has a case', () => {
  const tested = new Set(cases.map(({ alert }) => alert))
  expect(allAlerts.map(({ alert }) => alert).filter((alert) => !tested.has(alert))).toEqual([])
})

function never(minutes: readonly number[]): Check[] {
  return allAlerts.flatMap(({ alert }) => minutes.map((minute) => ({ alert, minute, firing: [] })))
}

describe('no alert fires', () => {
  const soon = [10, 45, 90]
  /** With steps of five minutes, five-minute windows are empty and windows of hours are full. */
  const late = [60, 300, 540]

  test.concurrent.each([
    ['for a healthy service', service(90, 1), soon, 1],
    ['for a healthy service over hours', service(540, 5), late, 5],
    ['for an idle service', service(90, 1, 0), soon, 1],
    ['for an idle service over hours', service(540, 5, 0), late, 5],
    ['without data', [], late, 5],
  ])('%s', async (name, series, minutes, step) => {
    expect(await testRules([{ name, series, checks: never(minutes) }], step)).toContain('SUCCESS')
  })
})

test('Prometheus accepts the rule files', async () => {
  const { code, said } = await promtool(['check', 'rules', ...RULE_FILES])
  expect(said).not.toContain('FAILED')
  expect(code).toBe(0)
})

test('Prometheus accepts every query of the dashboards', async () => {
  const panels = [businessDashboard(), serviceDashboard()].flatMap(({ panels: all = [] }) => all)
  const queries = panels.flatMap((panel) => ('targets' in panel ? (panel.targets ?? []) : []).map(expression))
  expect(queries.length).toBeGreaterThan(panels.length)
  const { code, said } = await checkExpressions(queries)
  expect(said).not.toContain('FAILED')
  expect(code).toBe(0)
})

test('promtool accepts the names, units and help texts of the metrics', async () => {
  const { body } = await setUp().scrape()
  const { said } = await promtool(['check', 'metrics'], body)
  // These metrics are from the Prometheus client.
  const theirs = /^nodejs_active_(handles|requests|resources)_total non-counter/
  expect(said.split('\n').filter((line) => line !== '' && !theirs.test(line))).toEqual([])
})
