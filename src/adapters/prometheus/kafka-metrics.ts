/** Metrics of transactions, the consumer group, the registry and the progress of each partition. */
import type { Delivery } from '../../core/delivery.ts'
import type { Metrics } from '../../ports.ts'
import type { QuotaRate } from './call-metrics.ts'
import type { Instruments, Series } from './instruments.ts'

type KafkaMetrics = Pick<
  Metrics,
  | 'rebalanced'
  | 'heartbeat'
  | 'laneBacklog'
  | keyof RegistryMetrics
  | keyof PublishMetrics
  | keyof PartitionMetrics
>
type RegistryMetrics = Pick<Metrics, 'registryRequest' | 'registryWaiting'>
type PublishMetrics = Pick<Metrics, 'transaction' | 'offsetCommit'>
type PartitionMetrics = Pick<Metrics, 'lag' | 'oldestUnsettled' | 'blocked' | 'partitionLost'>

const TRANSACTION_BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]

export function kafkaMetrics(
  instruments: Instruments,
  delivery: Delivery,
  quota: Readonly<QuotaRate>,
): KafkaMetrics {
  let heartbeatMs = 0
  let backlog = 0
  const rebalances = instruments.counter(
    'rebalances_total',
    'Number of times this replica rejoined its consumer group.',
    {},
  )
  instruments.gauge(
    'lane_backlog',
    'Number of buffered records: fetched, but without a committed output.',
    [],
    () => [[[], backlog]],
  )
  instruments.gauge(
    'last_heartbeat_timestamp_seconds',
    'Time of the last heartbeat accepted by the group coordinator, in seconds since the epoch; 0 before the first one.',
    [],
    () => [[[], heartbeatMs / 1000]],
  )
  return {
    rebalanced: () => rebalances([]),
    heartbeat: (epochMs) => {
      heartbeatMs = epochMs
    },
    laneBacklog: (records) => {
      backlog = records
    },
    ...registryMetrics(instruments),
    ...publishMetrics(instruments, delivery),
    ...partitionMetrics(instruments, quota),
  }
}

function registryMetrics(instruments: Instruments): RegistryMetrics {
  let waiting = 0
  const requests = instruments.counter(
    'schema_registry_requests_total',
    'Number of requests to the schema registry.',
    {
      operation: ['schema-by-id', 'id-by-schema'],
      outcome: ['ok', 'not-found', 'failed'],
    },
  )
  instruments.gauge(
    'schema_registry_waiting_records',
    'Number of records that wait for the registry to return their schema.',
    [],
    () => [[[], waiting]],
  )
  return {
    registryRequest: (operation, outcome) => requests([operation, outcome]),
    registryWaiting: (records) => {
      waiting = records
    },
  }
}

/** Both delivery modes export all series; those of the other mode stay at 0. */
function publishMetrics(instruments: Instruments, delivery: Delivery): PublishMetrics {
  const transactions = instruments.counter(
    'transactions_total',
    'Number of Kafka transactions, by outcome.',
    {
      outcome: ['committed', 'fenced', 'failed', 'refused'],
    },
  )
  const duration = instruments.histogram(
    'transaction_duration_seconds',
    'Time from the first write of a transaction to its outcome, in seconds.',
    TRANSACTION_BUCKETS,
    {},
  )
  const publishes = instruments.counter(
    'publishes_total',
    'Number of writes of outputs without a transaction: acknowledged by all in-sync replicas, failed, or rejected permanently.',
    { outcome: ['acknowledged', 'failed', 'refused'] },
  )
  const publishDuration = instruments.histogram(
    'publish_duration_seconds',
    'Time from a write of outputs without a transaction to its outcome, in seconds.',
    TRANSACTION_BUCKETS,
    {},
  )
  const commits = instruments.counter(
    'offset_commits_total',
    'Number of offset commits after outputs without a transaction.',
    {
      outcome: ['committed', 'failed'],
    },
  )
  return {
    transaction: (outcome, seconds) => {
      if (delivery === 'exactly-once') {
        transactions([outcome])
        duration([], seconds)
      } else {
        publishes([outcome === 'committed' ? 'acknowledged' : outcome])
        publishDuration([], seconds)
      }
    },
    offsetCommit: (outcome) => commits([outcome]),
  }
}

function partitionMetrics(instruments: Instruments, quota: Readonly<QuotaRate>): PartitionMetrics {
  const lag = new PartitionValues()
  const oldestSeconds = new PartitionValues()
  const blocks = new Map<string, readonly [labels: readonly string[], offset: number]>()
  const labels = ['topic', 'partition']
  instruments.gauge(
    'consumer_lag_records',
    'Number of records of the partition without a committed output, whether fetched or not.',
    labels,
    () => lag.series(),
  )
  instruments.gauge(
    'lag_drain_seconds',
    "Seconds to process the lag of this replica's partitions at quota_rate_per_second, including records that are not due yet; 0 without lag.",
    [],
    () => [[[], lag.sum === 0 ? 0 : lag.sum / quota.rate]],
  )
  instruments.gauge(
    'oldest_unsettled_timestamp_seconds',
    'Timestamp of the oldest buffered record without a committed output, in seconds since the epoch; absent if there is none.',
    labels,
    () => oldestSeconds.series(),
  )
  instruments.gauge(
    'partition_blocked_offset',
    'Offset of the record that blocks the partition, by error code; absent while the partition is not blocked.',
    [...labels, 'code'],
    () => [...blocks.values()],
  )
  return {
    lag: (topic, partition, records) => lag.set(topic, partition, records),
    oldestUnsettled: (topic, partition, timestampMs) =>
      oldestSeconds.set(topic, partition, timestampMs === null ? null : timestampMs / 1000),
    blocked: (topic, partition, block) => {
      const key = `${topic}:${partition}`
      if (block === null) blocks.delete(key)
      else blocks.set(key, [[topic, String(partition), block.code], Number(block.offset)])
    },
    partitionLost: (topic, partition) => {
      lag.set(topic, partition, null)
      oldestSeconds.set(topic, partition, null)
    },
  }
}

/** Values per assigned partition; null removes one. Set often, read at each scrape. */
class PartitionValues {
  readonly #topics = new Map<string, Map<number, number>>()

  set(topic: string, partition: number, value: number | null): void {
    const partitions = this.#topics.get(topic) ?? new Map<number, number>()
    this.#topics.set(topic, partitions)
    if (value === null) partitions.delete(partition)
    else partitions.set(partition, value)
  }

  get sum(): number {
    let sum = 0
    for (const partitions of this.#topics.values()) for (const value of partitions.values()) sum += value
    return sum
  }

  series(): Series {
    return [...this.#topics].flatMap(([topic, partitions]) =>
      [...partitions].map(([partition, value]) => [[topic, String(partition)], value] as const),
    )
  }
}
