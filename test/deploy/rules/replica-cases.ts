import type { Case } from './case.ts'
import { gone, grows, level } from './series.ts'

const HEARTBEAT = 'checkresult_last_heartbeat_timestamp_seconds'
/** Heartbeats that stop after ten minutes and start again after forty. */
const PAUSED = '0+60x9 540+0x29 2400+60x79'

export const replicaCases: readonly Case[] = [
  {
    alert: 'CheckResultDown',
    faults: { checkresult_build_info: `${level([1, 20])} ${gone(20)} ${level([1, 60])}` },
    silentAt: 24,
    fires: 27,
    clears: 42,
    description:
      'No replica of checkresult-stream has answered Prometheus for 5 minutes; 2 did within the last day. Events wait in Kafka until a replica runs.',
    silent: {
      'one of two replicas is down': {
        faults: { 'checkresult_build_info{instance="b"}': `${level([1, 20])} ${gone(100)}` },
        at: 60,
      },
    },
  },
  {
    alert: 'CheckResultTargetDown',
    faults: {
      'up{instance="b"}': level([1, 10], [0, 30], [1, 80]),
      'checkresult_build_info{instance="b"}': `${level([1, 10])} ${gone(30)} ${level([1, 80])}`,
    },
    silentAt: 19,
    fires: 21,
    clears: 42,
    labels: { instance: 'b' },
    description:
      'Prometheus has not reached replica b of checkresult-stream for 10 minutes. If it is down, other replicas take over its partitions.',
  },
  {
    alert: 'CheckResultNoConsumers',
    faults: { [HEARTBEAT]: PAUSED },
    silentAt: 12,
    fires: 15,
    clears: 42,
    description:
      'The group coordinator has accepted no heartbeat from checkresult-stream for 6m 0s. No events are read; they wait in Kafka. The replicas keep trying to join.',
    silent: { 'one of two replicas is down': { faults: { [`${HEARTBEAT}{instance="b"}`]: PAUSED }, at: 30 } },
  },
  {
    alert: 'CheckResultReplicaOutOfGroup',
    faults: { [`${HEARTBEAT}{instance="b"}`]: PAUSED },
    silentAt: 20,
    fires: 24,
    clears: 42,
    labels: { instance: 'b' },
    description:
      'The last accepted heartbeat of replica b of checkresult-stream is 15m 0s old. The other replicas process its partitions.',
    silent: { 'no replica is in the group': { faults: { [HEARTBEAT]: PAUSED }, at: 30 } },
  },
  {
    alert: 'CheckResultStandby',
    faults: { 'checkresult_quota_share_per_second{instance="b"}': level([0, 50], [5, 70]) },
    silentAt: 29,
    fires: 31,
    clears: 51,
    labels: { instance: 'b' },
    description:
      'Replica b of checkresult-stream makes no calls, because there are more replicas than permits, partitions or shards (16). It takes over when another replica leaves.',
    silent: {
      'it is not in the group': {
        faults: {
          'checkresult_quota_share_per_second{instance="b"}': level([0, 120]),
          [`${HEARTBEAT}{instance="b"}`]: level([0, 120]),
        },
        at: 60,
      },
    },
  },
  {
    alert: 'CheckResultRebalanceStorm',
    faults: { 'checkresult_rebalances_total{instance="a"}': grows([0, 10], [1, 40], [0, 70]) },
    silentAt: 28,
    fires: 45,
    clears: 80,
    description:
      'A replica of checkresult-stream joined its group 30 times in 30 minutes. Results are late, because no call starts during a rebalance.',
    silent: {
      'it is a rollout': {
        faults: { checkresult_rebalances_total: grows([0, 10], [2, 6], [0, 104]) },
        at: 25,
      },
    },
  },
  {
    alert: 'CheckResultEventLoopBlocked',
    faults: { 'nodejs_eventloop_lag_p99_seconds{instance="a"}': level([0.02, 10], [0.8, 30], [0.02, 80]) },
    silentAt: 19,
    fires: 21,
    clears: 41,
    labels: { instance: 'a' },
    description:
      'Timers of replica a of checkresult-stream are 800ms late. It sends heartbeats late, wastes permits, and may be removed from the group.',
  },
]
