/** What became of events, where it is not what it should be. */
import { SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

const sum = (series: string, range: string): string => `sum by (${SERVICE}) (increase(${series}[${range}]))`

/** Customers who never come to an end are no fault. */
const DEAD = 'checkresult_dead_letters_total{reason!="not-completed"}'
/** Each result once, whatever the timestamp of its event. */
const RESULTS = 'checkresult_risk_checks_total'

/** More than one in a hundred, and not one or two unlucky ones. */
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
        'Dead letters of {{ $labels.job }} in the last 15 minutes for the reason {{ $labels.reason }}: about {{ $value | humanize }}.',
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
        '{{ $value | humanizePercentage }} of the events of {{ $labels.job }} became dead letters in 30 minutes.',
      dashboard: 'service',
      panel: 'Dead letters by reason',
    },
    {
      alert: 'CheckResultVerdictsDisagree',
      severity: 'warning',
      expr: oftenIn('1h', 'checkresult_verdict_disagreements_total', sum(RESULTS, '1h')),
      for: '5m',
      summary: 'Results contradict what the events said.',
      description:
        '{{ $value | humanizePercentage }} of the results of {{ $labels.job }} contradict the event, or themselves: events may be forged, or the vendor has changed something.',
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
        '{{ $value | humanizePercentage }} of the results of {{ $labels.job }} have no document because ExtIdInfo could not be read: the vendor may have changed its form.',
      dashboard: 'business',
      panel: 'Contradictions and unreadable documents',
    },
  ],
}
