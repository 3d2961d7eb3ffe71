/** Recorded series for alerts, dashboards and your own rules. */
import { NOT_RETRY, SERVICE, promql } from '../promql.ts'
import type { Group, Recording } from '../rule.ts'

const per = (what: string, by: string): string => promql`
  sum by (${SERVICE}) (rate(${what}[5m]))
  /
  (sum by (${SERVICE}) (rate(${by}[5m])) > 0)
`

export const serviceRecordings: Group<Recording> = {
  name: 'checkresult-service',
  rules: [
    {
      record: 'checkresult:calls_per_result:ratio_rate5m',
      expr: per('checkresult_requests_total', 'checkresult_risk_checks_total'),
    },
    {
      record: 'checkresult:throttled_per_call:ratio_rate5m',
      expr: per('checkresult_requests_total{code=~"Throttling.*"}', 'checkresult_requests_total'),
    },
    {
      record: 'checkresult:unavailable_per_call:ratio_rate5m',
      expr: per(
        'checkresult_request_duration_seconds_count{outcome="unavailable"}',
        'checkresult_request_duration_seconds_count',
      ),
    },
    {
      // Every replica reports the same limit. With CHECKRESULT_QPS=unlimited it is infinite, so the ratio is 0.
      record: 'checkresult:quota_used_per_limit:ratio_rate5m',
      expr: promql`
        sum by (${SERVICE}) (rate(checkresult_quota_permits_total[5m]))
        /
        (max by (${SERVICE}) (checkresult_quota_limit_per_second) > 0)
      `,
    },
    {
      record: 'checkresult:quota_wait_seconds:p95_rate5m',
      expr: `histogram_quantile(0.95, sum by (${SERVICE}, le) (rate(checkresult_quota_wait_seconds_bucket{priority="fresh"}[5m])))`,
    },
    {
      record: 'checkresult:consumer_lag_records:sum',
      expr: `sum by (${SERVICE}) (checkresult_consumer_lag_records{${NOT_RETRY}})`,
    },
    {
      record: 'checkresult:oldest_unsettled_age_seconds:max',
      expr: `time() - min by (${SERVICE}) (checkresult_oldest_unsettled_timestamp_seconds{${NOT_RETRY}})`,
    },
  ],
}
