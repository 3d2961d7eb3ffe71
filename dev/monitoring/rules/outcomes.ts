/** Alerts on outcomes: dead letters, contradictions and unreadable documents. */
import { SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

const sum = (series: string, range: string): string => `sum by (${SERVICE}) (increase(${series}[${range}]))`

/** Without `not-completed`: customers who never finish are not a fault. */
const DEAD = 'checkresult_dead_letters_total{reason!="not-completed"}'
/** Counts each result once, also if its event has an implausible timestamp. */
const RESULTS = 'checkresult_risk_checks_total'

/** More than one in a hundred, and at least ten. */
const oftenIn = (range: string, what: string, all: string): string => promql`
  ${sum(what, range)} / ((${all}) > 0) > 0.01
  and ${sum(what, range)} >= 10
`

export const outcomeAlerts: Group<Alert> = {
  name: 'checkresult-outcomes',
  rules: [
    {
      alert: 'CheckResultDeadLetters',
      severity: 'warning',
      expr: `sum by (${SERVICE}, reason) (increase(${DEAD}[15m])) > 0`,
      for: '0m',
      summary: 'Events became dead letters.',
      description:
        'Dead letters of {{ $labels.job }} in the last 15 minutes with the reason {{ $labels.reason }}: about {{ $value | humanize }}. These events get no result unless they are put back.',
      dashboard: 'service',
      panel: 'Dead letters by reason',
    },
    {
      alert: 'CheckResultManyDeadLetters',
      severity: 'critical',
      expr: oftenIn('30m', DEAD, `${sum(RESULTS, '30m')} + ${sum(DEAD, '30m')}`),
      for: '5m',
      summary: 'More than one event in a hundred becomes a dead letter.',
      description:
        '{{ $value | humanizePercentage }} of the events of {{ $labels.job }} became dead letters in 30 minutes. They get no result unless they are put back.',
      dashboard: 'service',
      panel: 'Dead letters by reason',
    },
    {
      alert: 'CheckResultVerdictsDisagree',
      severity: 'warning',
      expr: oftenIn('1h', 'checkresult_verdict_disagreements_total', sum(RESULTS, '1h')),
      for: '5m',
      summary: 'Results contradict their events.',
      description:
        '{{ $value | humanizePercentage }} of the results of {{ $labels.job }} in the last hour contradict their event, or have a verdict that does not fit their sub-code. The service publishes what the API answered. Events may be forged, or the vendor may have changed its answers.',
      dashboard: 'business',
      panel: 'Contradictions and unreadable documents',
    },
    {
      alert: 'CheckResultUnreadableDocuments',
      severity: 'warning',
      expr: oftenIn('1h', 'checkresult_unreadable_documents_total', sum(RESULTS, '1h')),
      for: '5m',
      summary: 'Documents in answers cannot be read.',
      description:
        '{{ $value | humanizePercentage }} of the results of {{ $labels.job }} in the last hour were published without a document, because ExtIdInfo cannot be read. The vendor may have changed its format.',
      dashboard: 'business',
      panel: 'Contradictions and unreadable documents',
    },
  ],
}
