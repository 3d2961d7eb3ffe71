import type { Case } from './case.ts'
import { gone, grows, level, type Faults } from './series.ts'

const LAG = 'checkresult_consumer_lag_records{topic="verification.completed"}'
const OLDEST = 'checkresult_oldest_unsettled_timestamp_seconds{topic="verification.completed"}'

/** No outputs from minute 10 to minute 40. */
const NOTHING_OUT: Faults = {
  [LAG]: level([3, 10], [40, 30], [3, 80]),
  checkresult_risk_checks_total: grows([10, 10], [0, 30], [10, 80]),
  checkresult_deferred_total: grows([1, 10], [0, 30], [1, 80]),
  checkresult_duplicates_total: grows([1, 10], [0, 30], [1, 80]),
}
const CIRCUIT_OPEN: Faults = {
  'checkresult_circuit_open{reason="account",instance="a"}': level([0, 10], [1, 110]),
}

/** Each minute, five more events arrive than are processed and the oldest one gets half a minute older. */
const BACKLOG_GROWS: Faults = {
  [LAG]: '3+0x9 3+5x39 3+0x69',
  [OLDEST]: '-1+60x9 540+30x39 3000+60x69',
}
/** Ten permits per second, which is the whole quota. */
const ALL_USED: Faults = { checkresult_quota_permits_total: grows([300, 120]) }

const FEW = 'there are only a few failures'

export const deliveryCases: readonly Case[] = [
  {
    alert: 'CheckResultStalled',
    faults: NOTHING_OUT,
    silentAt: 23,
    fires: 27,
    clears: 43,
    description:
      'Events of checkresult-stream are waiting, or a partition leader does not answer. For 10 minutes there has been no result, retry copy or dead letter, although calls are not paused.',
    silent: {
      'the circuit breaker is open, which has its own alert': {
        faults: { ...NOTHING_OUT, ...CIRCUIT_OPEN },
        at: 30,
      },
      'foreign records are skipped': {
        faults: { ...NOTHING_OUT, checkresult_foreign_records_total: grows([5, 120]) },
        at: 30,
      },
    },
  },
  {
    alert: 'CheckResultPartitionStuck',
    faults: { [`${OLDEST.slice(0, -1)},partition="1"}`]: '-1+60x9 540+0x49 3600+60x59' },
    silentAt: 26,
    fires: 32,
    clears: 62,
    labels: { topic: 'verification.completed', partition: '1' },
    description:
      'The oldest event of partition 1 of verification.completed at checkresult-stream has not changed for 15 minutes and is 23m 0s old. The events behind it wait; other partitions go on.',
    silent: {
      'a backlog is processed': { faults: { [OLDEST]: '-3600+60x119' }, at: 60 },
      'the circuit breaker is open, which has its own alert': {
        faults: { [OLDEST]: level([0, 120]), ...CIRCUIT_OPEN },
        at: 60,
      },
    },
  },
  {
    alert: 'CheckResultPartitionBlocked',
    faults: {
      'checkresult_partition_blocked_offset{topic="verification.completed",partition="0",code="MESSAGE_TOO_LARGE",instance="a"}': `_x9 ${level([42, 30])} ${gone(80)}`,
    },
    silentAt: 13,
    fires: 16,
    clears: 46,
    labels: { topic: 'verification.completed', partition: '0', code: 'MESSAGE_TOO_LARGE' },
    description:
      'Partition 0 of verification.completed has been blocked for 5 minutes at offset 42 (MESSAGE_TOO_LARGE): checkresult-stream cannot claim it or write its outputs. Its events wait; the service retries at least every 30 seconds.',
  },
  {
    alert: 'CheckResultLeaderSilent',
    faults: {
      'checkresult_partition_leader_silent_seconds{topic="verification.completed",partition="0",instance="a"}': `_x9 12+60x29 ${gone(80)}`,
    },
    silentAt: 10,
    fires: 13,
    clears: 41,
    labels: { topic: 'verification.completed', partition: '0' },
    description:
      'The leader of partition 0 of verification.completed has not answered checkresult-stream for 4m 12s. The events of this partition wait; other partitions go on.',
  },
  {
    alert: 'CheckResultOpenTransaction',
    faults: {
      'checkresult_open_transaction_seconds{topic="verification.completed",partition="0",instance="a"}': `_x9 15+60x29 ${gone(80)}`,
    },
    silentAt: 11,
    fires: 14,
    clears: 41,
    labels: { topic: 'verification.completed', partition: '0' },
    description:
      'A producer has left a transaction open on partition 0 of verification.completed. The records behind it have waited for 5m 15s, because checkresult-stream cannot read them.',
  },
  {
    alert: 'CheckResultOffsetsLost',
    faults: {
      'checkresult_offsets_lost_total{topic="verification.completed",instance="a"}': grows(
        [0, 10],
        [140, 1],
        [0, 109],
      ),
    },
    silentAt: 10,
    fires: 13,
    clears: 27,
    labels: { topic: 'verification.completed' },
    description:
      '140 offsets of verification.completed were deleted before checkresult-stream had processed them. Their events get neither a result nor a dead letter. The service continued with the oldest record.',
  },
  {
    alert: 'CheckResultLagGrowing',
    faults: BACKLOG_GROWS,
    silentAt: 25,
    fires: 35,
    clears: 70,
    description:
      'The backlog of checkresult-stream grows by 10 events per minute, and its oldest event is late. The quota is not the limit.',
    silent: {
      'the quota is used up, which has its own alert': { faults: { ...BACKLOG_GROWS, ...ALL_USED }, at: 40 },
      'events are on time': { faults: { [LAG]: '3+5x119' }, at: 60 },
      'the circuit breaker is open, which has its own alert': {
        faults: { ...BACKLOG_GROWS, ...CIRCUIT_OPEN },
        at: 40,
      },
    },
  },
  {
    alert: 'CheckResultQuotaSaturated',
    faults: {
      ...BACKLOG_GROWS,
      ...ALL_USED,
      'checkresult_quota_wait_seconds_bucket{le="0.1"}': grows([10, 120]),
      'checkresult_quota_wait_seconds_bucket{le="10"}': grows([300, 120]),
      'checkresult_quota_wait_seconds_bucket{le="+Inf"}': grows([300, 120]),
    },
    silentAt: 25,
    fires: 35,
    clears: 70,
    description:
      'The quota of checkresult-stream is used up and the backlog grows, so results are late. One call in twenty waits 9.488s or longer for its permit.',
    silent: {
      'permits are left': { faults: BACKLOG_GROWS, at: 40 },
      'events are on time': { faults: { ...ALL_USED, [LAG]: '3+5x119' }, at: 60 },
      'the backlog shrinks': {
        faults: { ...ALL_USED, [LAG]: '900-5x119', [OLDEST]: '-600+60x119' },
        at: 60,
      },
    },
  },
  {
    alert: 'CheckResultPublishFailures',
    faults: { 'checkresult_transactions_total{outcome="failed"}': grows([0, 10], [1, 30], [0, 80]) },
    silentAt: 14,
    fires: 22,
    clears: 55,
    description:
      '11.11% of the writes of checkresult-stream failed in the last 10 minutes. The service retries them, so outputs are late but not lost.',
    silent: {
      [FEW]: {
        faults: {
          'checkresult_transactions_total{outcome="failed",instance="a"}': grows([0, 10], [1, 2], [0, 108]),
          'checkresult_transactions_total{outcome="committed"}': grows([0.1, 120]),
        },
        at: 16,
      },
    },
  },
  {
    alert: 'CheckResultPublishFailures',
    faults: {
      'checkresult_transactions_total{outcome="committed"}': level([0, 120]),
      'checkresult_publishes_total{outcome="acknowledged"}': grows([4, 120]),
      'checkresult_publishes_total{outcome="failed"}': grows([0, 10], [1, 30], [0, 80]),
    },
    silentAt: 14,
    fires: 30,
    clears: 55,
    description:
      '20% of the writes of checkresult-stream failed in the last 10 minutes. The service retries them, so outputs are late but not lost.',
    silent: {
      [FEW]: {
        faults: {
          'checkresult_transactions_total{outcome="committed"}': level([0, 120]),
          'checkresult_publishes_total{outcome="acknowledged"}': grows([0.1, 120]),
          'checkresult_publishes_total{outcome="failed",instance="a"}': grows([0, 10], [1, 2], [0, 108]),
        },
        at: 16,
      },
    },
  },
  {
    alert: 'CheckResultOffsetCommitFailures',
    faults: {
      'checkresult_offset_commits_total{outcome="committed"}': grows([4, 120]),
      'checkresult_offset_commits_total{outcome="failed"}': grows([0, 10], [1, 30], [0, 80]),
    },
    silentAt: 14,
    fires: 30,
    clears: 55,
    description:
      '20% of the offset commits of checkresult-stream failed in the last 10 minutes. After a restart, the service calls the API for these events again and publishes their results twice.',
    silent: {
      [FEW]: {
        faults: {
          'checkresult_offset_commits_total{outcome="failed",instance="a"}': grows([0, 10], [1, 2], [0, 108]),
        },
        at: 16,
      },
    },
  },
  {
    alert: 'CheckResultRegistryWaiting',
    faults: { 'checkresult_schema_registry_waiting_records{instance="b"}': level([0, 10], [5, 30], [0, 80]) },
    silentAt: 14,
    fires: 16,
    clears: 41,
    description:
      '5 events of checkresult-stream wait for their schema, because the registry does not answer. The events behind them on their partitions wait too.',
  },
  {
    alert: 'CheckResultRegistryErrors',
    faults: {
      'checkresult_schema_registry_requests_total{outcome="failed"}': grows([0, 10], [1, 30], [0, 80]),
    },
    silentAt: 12,
    fires: 30,
    clears: 55,
    description:
      '20 requests of checkresult-stream to the registry failed in 10 minutes. Running replicas continue with the schemas they know. A new replica cannot become ready.',
    silent: {
      [FEW]: {
        faults: {
          'checkresult_schema_registry_requests_total{outcome="failed",instance="a"}': grows(
            [0, 10],
            [1, 2],
            [0, 108],
          ),
        },
        at: 18,
      },
    },
  },
]
