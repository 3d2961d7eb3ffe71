/** Alerts on replicas: running, in the group, and responsive. */
import { SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

/** Replicas seen within the last day. */
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
        'No replica of {{ $labels.job }} has answered Prometheus for 5 minutes; {{ $value }} did within the last day. Events wait in Kafka until a replica runs.',
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
      description:
        'Prometheus has not reached replica {{ $labels.instance }} of {{ $labels.job }} for 10 minutes. If it is down, other replicas take over its partitions.',
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
        'The group coordinator has accepted no heartbeat from {{ $labels.job }} for {{ $value | humanizeDuration }}. No events are read; they wait in Kafka. The replicas keep trying to join.',
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
      summary: 'A replica has dropped out of the consumer group.',
      description:
        'The last accepted heartbeat of replica {{ $labels.instance }} of {{ $labels.job }} is {{ $value | humanizeDuration }} old. The other replicas process its partitions.',
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
      summary: 'A replica is a hot standby without a share of the quota.',
      description:
        'Replica {{ $labels.instance }} of {{ $labels.job }} makes no calls, because there are more replicas than permits, partitions or shards (16). It takes over when another replica leaves.',
      dashboard: 'service',
      panel: 'Quota share by replica',
    },
    {
      // A rollout causes a few rebalances per replica.
      alert: 'CheckResultRebalanceStorm',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}) (increase(checkresult_rebalances_total[30m]))
        > 6 + 4 * count by (${SERVICE}) (checkresult_build_info)
      `,
      for: '5m',
      summary: 'The consumer group keeps rebalancing.',
      description:
        'A replica of {{ $labels.job }} joined its group {{ $value | humanize }} times in 30 minutes. Results are late, because no call starts during a rebalance.',
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
      summary: 'A replica is too busy to run its timers on time.',
      description:
        'Timers of replica {{ $labels.instance }} of {{ $labels.job }} are {{ $value | humanizeDuration }} late. It sends heartbeats late, wastes permits, and may be removed from the group.',
      dashboard: 'service',
      panel: 'Event loop lag',
    },
  ],
}
