/** All rules, and the rule files generated from them. */
import { stringify } from 'yaml'
import type { Alert, Group, Recording } from './rule.ts'
import { anomalyAlerts, anomalyRecordings } from './rules/anomaly.ts'
import { deliveryAlerts } from './rules/delivery.ts'
import { outcomeAlerts } from './rules/outcomes.ts'
import { serviceRecordings } from './rules/recordings.ts'
import { replicaAlerts } from './rules/replicas.ts'
import { sloAlerts, sloRecordings } from './rules/slo.ts'
import { upstreamAlerts } from './rules/upstream.ts'

export const RECORDINGS: readonly Group<Recording>[] = [anomalyRecordings, serviceRecordings, sloRecordings]

export const ALERTS: readonly Group<Alert>[] = [
  replicaAlerts,
  deliveryAlerts,
  upstreamAlerts,
  outcomeAlerts,
  anomalyAlerts,
  sloAlerts,
]

export const allAlerts: readonly Alert[] = ALERTS.flatMap(({ rules }) => rules)

/** Relative URLs: the chart's `prometheusRule.runbook` and Alertmanager templates prepend the address. */
export const runbookUrl = (alert: string): string => `docs/runbook.md#${alert.toLowerCase()}`
export const dashboardUrl = (dashboard: Alert['dashboard']): string =>
  `/d/checkresult-${dashboard}?var-job={{ $labels.job }}`

const HEADER =
  '# Generated from dev/monitoring. Do not edit: change dev/monitoring and run `npm run generate`.\n'

/** File contents by file name. */
export function ruleFiles(): Readonly<Record<string, string>> {
  return {
    'recordings.yaml': file(RECORDINGS.map(({ name, rules }) => ({ name, rules }))),
    'alerts.yaml': file(ALERTS.map(({ name, rules }) => ({ name, rules: rules.map(alerting) }))),
  }
}

function alerting(rule: Alert): object {
  const { alert, expr, for: duration, keepFiringFor, severity, summary, description, dashboard } = rule
  return {
    alert,
    expr,
    ...(duration === '0m' ? {} : { for: duration }),
    ...(keepFiringFor !== undefined && { keep_firing_for: keepFiringFor }),
    labels: { severity },
    annotations: {
      summary,
      description,
      runbook_url: runbookUrl(alert),
      dashboard_url: dashboardUrl(dashboard),
    },
  }
}

function file(groups: readonly object[]): string {
  return HEADER + stringify({ groups }, { lineWidth: 0, blockQuote: 'literal' })
}
