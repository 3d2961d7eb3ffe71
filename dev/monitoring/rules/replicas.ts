/** Whether the replicas are there, in the group, and well. */
import { SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

/** What has been a replica of ours within a day. */
const KNOWN = 'present_over_time(checkresult_build_info[1d])'
const HEARTBEAT = 'checkresult_last_heartbeat_timestamp_seconds'

export const replicaAlerts: Group<Alert> = {
  name: 'checkresult-replicas',
  rules: [
    {
      alert: 'CheckResultDown',
      severity: 'critical',
      expr: promql`
        count by (${SERVICE}) (${KNOWN})
        unless count by (${SERVICE}) (checkresult_build_info)
      `,
      for: '5m',
      summary: 'No replica answers Prometheus.',
      description:
        '{{ $labels.job }} had {{ $value }} replicas within the last day and none answers now: events wait.',
      dashboard: 'service',
      panel: 'Replicas',
    },
    {
      alert: 'CheckResultTargetDown',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}, instance) (up) == 0
        and on (${SERVICE}, instance) ${KNOWN}
      `,
      for: '10m',
      summary: 'A replica does not answer Prometheus.',
      description: 'Replica {{ $labels.instance }} of {{ $labels.job }} has not been scraped for 10 minutes.',
      dashboard: 'service',
      panel: 'Replicas',
    },
    {
      alert: 'CheckResultNoConsumers',
      severity: 'critical',
      expr: `time() - max by (${SERVICE}) (${HEARTBEAT}) > 60`,
      for: '3m',
      summary: 'No replica is in the consumer group.',
      description:
        'The group coordinator has accepted no heartbeat of any replica of {{ $labels.job }} for {{ $value | humanizeDuration }}: events wait.',
      dashboard: 'service',
      panel: 'Heartbeat age',
    },
    {
      alert: 'CheckResultReplicaOutOfGroup',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}, instance) (time() - ${HEARTBEAT}) > 120
        unless on (${SERVICE}) time() - max by (${SERVICE}) (${HEARTBEAT}) > 60
      `,
      for: '10m',
      summary: 'A replica has left the consumer group and not come back.',
      description:
        'The last heartbeat of replica {{ $labels.instance }} of {{ $labels.job }} is {{ $value | humanizeDuration }} old; the others do its work.',
      dashboard: 'service',
      panel: 'Heartbeat age',
    },
    {
      alert: 'CheckResultStandby',
      severity: 'info',
      expr: promql`
        max by (${SERVICE}, instance) (checkresult_quota_share_per_second) == 0
        and on (${SERVICE}, instance) time() - ${HEARTBEAT} < 60
      `,
      for: '30m',
      summary: 'A replica is in the group without a share of the quota.',
      description:
        'Replica {{ $labels.instance }} of {{ $labels.job }} stands by: there are more replicas than permits or partitions.',
      dashboard: 'service',
      panel: 'Share of the quota by replica',
    },
    {
      // A rollout joins and leaves a few times for each replica.
      alert: 'CheckResultRebalanceStorm',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}) (increase(checkresult_rebalances_total[30m]))
        > 6 + 4 * count by (${SERVICE}) (checkresult_build_info)
      `,
      for: '5m',
      summary: 'The consumer group does not come to rest.',
      description:
        'A replica of {{ $labels.job }} joined its group {{ $value | humanize }} times in 30 minutes; no call starts while a group decides.',
      dashboard: 'service',
      panel: 'Rebalances',
    },
    {
      alert: 'CheckResultEventLoopBlocked',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}, instance) (nodejs_eventloop_lag_p99_seconds) > 0.5
        and on (${SERVICE}, instance) checkresult_build_info
      `,
      for: '10m',
      summary: 'A replica is too busy to keep time.',
      description:
        'Timers of replica {{ $labels.instance }} of {{ $labels.job }} are {{ $value | humanizeDuration }} late: heartbeats and permits come late too.',
      dashboard: 'service',
      panel: 'Event loop lag',
    },
  ],
}
