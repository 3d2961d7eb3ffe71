import type { Case } from './case.ts'
import { gone, grows, level } from './series.ts'

const HEARTBEAT = 'checkresult_last_heartbeat_timestamp_seconds'
/** A heartbeat that ends after ten minutes and begins again after forty. */
const PAUSED = '0+60x9 540+0x29 2400+60x79'

export const replicaCases: readonly Case[] = [
  {
    alert: 'CheckResultDown',
    faults: { checkresult_build_info: `${level([1, 20])} ${gone(20)} ${level([1, 60])}` },
    silentAt: 24,
    fires: 27,
    clears: 42,
    description: 'checkresult-stream had 2 replicas within the last day and none answers now: events wait.',
    silent: {
      'one replica of two is away': {
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
    description: 'Replica b of checkresult-stream has not been scraped for 10 minutes.',
  },
  {
    alert: 'CheckResultNoConsumers',
    faults: { [HEARTBEAT]: PAUSED },
    silentAt: 12,
    fires: 15,
    clears: 42,
    description:
      'The group coordinator has accepted no heartbeat of any replica of checkresult-stream for 6m 0s: events wait.',
    silent: { 'one replica of two is away': { faults: { [`${HEARTBEAT}{instance="b"}`]: PAUSED }, at: 30 } },
  },
  {
    alert: 'CheckResultReplicaOutOfGroup',
    faults: { [`${HEARTBEAT}{instance="b"}`]: PAUSED },
    silentAt: 20,
    fires: 24,
    clears: 42,
    labels: { instance: 'b' },
    description:
      'The last heartbeat of replica b of checkresult-stream is 15m 0s old; the others do its work.',
    silent: { 'none is in the group': { faults: { [HEARTBEAT]: PAUSED }, at: 30 } },
  },
  {
    alert: 'CheckResultStandby',
    faults: { 'checkresult_quota_share_per_second{instance="b"}': level([0, 50], [5, 70]) },
    silentAt: 29,
    fires: 31,
    clears: 51,
    labels: { instance: 'b' },
    description:
      'Replica b of checkresult-stream stands by: there are more replicas than permits or partitions.',
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
      'A replica of checkresult-stream joined its group 30 times in 30 minutes; no call starts while a group decides.',
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
      'Timers of replica a of checkresult-stream are 800ms late: heartbeats and permits come late too.',
  },
]
