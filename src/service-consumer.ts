/** Connects the consumer's events to the other parts of the service. */
import type { KafkaClient } from './adapters/kafka/client.ts'
import { createGroupConsumer, type GroupConsumer } from './adapters/kafka/consumer.ts'
import type { GroupInstance } from './adapters/kafka/group-instance.ts'
import type { KafkaDelivery } from './adapters/kafka/delivery.ts'
import type { Config } from './config.ts'
import type { Shards } from './pipeline/shards.ts'
import type { Clock, Log, Metrics } from './ports.ts'
import type { ServiceHealth } from './service-health.ts'
import type { ServiceQuota } from './service-quota.ts'
import { topicNames } from './service-settings.ts'

export interface ServiceConsumerOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly kafka: KafkaClient
  readonly groupInstance: GroupInstance | null
  readonly quota: ServiceQuota
  readonly delivery: KafkaDelivery
  readonly health: ServiceHealth
  readonly shards: Shards
  /** Opens connections in advance for this many calls per second. */
  readonly warm: (perSecond: number) => void
  /** The consumer has stopped for a temporary reason. */
  readonly onEnd: (message: string) => void
  readonly onFatal: (message: string) => void
  readonly onDefect: (error: unknown) => void
}

export function createServiceConsumer(options: ServiceConsumerOptions): GroupConsumer {
  const { config, clock, log, metrics, kafka, quota, delivery, health, shards } = options
  const names = topicNames(config)
  return createGroupConsumer({
    createCluster: kafka.createCluster,
    groupId: config.consumer.groupId,
    instance: options.groupInstance,
    inputTopic: names.input,
    retryTopics: names.retry,
    sessionTimeoutMs: config.consumer.sessionTimeoutMs,
    permits: quota.permits,
    startOffset: config.consumer.startOffset,
    clock,
    log,
    hooks: {
      onBeforeRejoin: () => {
        quota.beforeRejoin()
        shards.rebalancing()
      },
      onRebalancing: () => {
        metrics.rebalanced()
        delivery.rebalancing()
      },
      onAssigned: (membership, assignment) => {
        delivery.assigned(membership.memberId, assignment)
        quota.assigned(membership, assignment)
        options.warm(quota.perSecond)
        shards.assigned(membership.memberId, assignment)
      },
      onRecords: (topic, partition, records) => shards.receive(topic, partition, records),
      onProgress: (topic, partition, { readUpTo, highWatermark }) => {
        shards.progress(topic, partition, readUpTo, highWatermark)
        metrics.laneBacklog(shards.backlog)
      },
      onLeaderSilent: (topic, partition, seconds) => metrics.leaderSilent(topic, partition, seconds),
      onOpenTransaction: (topic, partition, seconds) => metrics.openTransaction(topic, partition, seconds),
      onLost: (topic, _, offsets) => metrics.offsetsLost(topic, offsets),
      onReplaced: (topic, partition, begin) => {
        delivery.replaced(topic, partition)
        shards.replaced(topic, partition, begin)
      },
      onHeartbeat: (sent) => {
        quota.heartbeat(sent)
        metrics.heartbeat(clock.epochMs())
        metrics.laneBacklog(shards.backlog)
        shards.heartbeat()
      },
      onActivity: () => health.reportActivity(),
      onEnd: options.onEnd,
      onCrash: (message) =>
        options.onFatal(`The Kafka consumer has stopped and the service exits: ${message}`),
      onDefect: options.onDefect,
    },
  })
}
