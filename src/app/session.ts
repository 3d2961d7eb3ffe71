/**
 * One membership of the consumer group: created completely, joined, and closed as a whole. Nothing of it is used again by
 * the next session. What outlives it belongs to the service.
 */
import type { CheckResultClient } from '../adapters/alibaba/client.ts'
import type { KafkaClient } from '../adapters/kafka/client.ts'
import {
  createGroupConsumer,
  type ConsumerHooks,
  type GroupConsumer,
} from '../adapters/kafka/group/consumer.ts'
import { createDelivery, type KafkaDelivery } from '../adapters/kafka/sinks/delivery.ts'
import type { GroupInstance } from '../adapters/kafka/group/group-instance.ts'
import type { Shards } from '../pipeline/delivery/shards.ts'
import { createShards, type ShardsContext } from './create-shards.ts'
import type { KnownTopics } from './known-topics.ts'
import type { ServiceQuota } from './quota.ts'

export interface SessionOptions extends Omit<ShardsContext, 'claim' | 'flow' | 'check'> {
  readonly kafka: KafkaClient
  /** Null without static membership. */
  readonly groupInstance: GroupInstance | null
  readonly topics: KnownTopics
  readonly quota: ServiceQuota
  readonly client: CheckResultClient
  readonly onActivity: () => void
  /** The group can never be joined with these settings. */
  readonly onFatal: (message: string) => void
}

export class Session {
  readonly shards: Shards
  readonly #options: SessionOptions
  readonly #consumer: GroupConsumer
  readonly #delivery: KafkaDelivery
  readonly #ended = Promise.withResolvers<string>()

  constructor(options: SessionOptions) {
    const { config, clock, log, metrics, kafka, topics, quota } = options
    const { consumer } = config
    const group = {
      createCluster: kafka.createCluster,
      groupId: consumer.groupId,
      inputTopic: topics.names.input,
      clock,
      log,
    }
    this.#options = options
    this.#consumer = createGroupConsumer({
      ...group,
      instance: options.groupInstance,
      retryTopics: topics.names.retry,
      sessionTimeoutMs: consumer.sessionTimeoutMs,
      permits: quota.permits,
      startOffset: consumer.startOffset,
      hooks: this.#hooks(),
    })
    this.#delivery = createDelivery({
      ...group,
      delivery: consumer.delivery,
      topics: Object.values(topics.names).flat(),
      onWidth: (topic, partitions) => topics.setPartitions(topic, partitions),
      usualTopic: topics.names.result,
      consumer: this.#consumer,
      packing: topics.packing(config.compression),
      metrics,
    })
    this.shards = createShards({
      ...options,
      check: options.client.check,
      claim: this.#delivery.claim,
      flow: (topic, partition) => this.#consumer.flow(topic, partition),
    })
  }

  /** Why partitions make no progress for reasons outside this replica. */
  get warnings(): readonly string[] {
    return this.#consumer.warnings
  }

  /** Resolves with the cause if the membership has ended for a temporary reason, and with it the session. */
  get ended(): Promise<string> {
    return this.#ended.promise
  }

  /** Resolves when the first partitions are assigned. Rejects with a message for the operator, and closes the session. */
  async join(): Promise<void> {
    try {
      await this.#consumer.start()
    } catch (error) {
      this.#over()
      throw error
    }
  }

  /** Starts no further records and commits those in progress. The replica stays in the group. */
  drain(): Promise<void> {
    return this.shards.drain()
  }

  /** Leaves the group. Call it when the shards are drained. */
  async close(): Promise<void> {
    await this.#consumer.stop()
    this.#over()
  }

  /** The membership is over, and with it nothing of the session may go on. */
  #over(): void {
    this.shards.revokeAll()
    this.#delivery.close()
  }

  #hooks(): ConsumerHooks {
    const { clock, metrics, quota, client, onActivity, onFatal, onDefect } = this.#options
    return {
      onBeforeRejoin: () => {
        quota.beforeRejoin()
        this.shards.rebalancing()
      },
      onRebalancing: () => {
        metrics.rebalanced()
        this.#delivery.rebalancing()
      },
      onAssigned: (membership, assignment) => {
        this.#delivery.assigned(membership.memberId, assignment)
        quota.assigned(membership, assignment)
        client.warm(quota.perSecond)
        this.shards.assigned(membership.memberId, assignment)
      },
      onRecords: (topic, partition, records) => this.shards.receive(topic, partition, records),
      onProgress: (topic, partition, { readUpTo, highWatermark }) =>
        this.shards.progress(topic, partition, readUpTo, highWatermark),
      onLeaderSilent: (topic, partition, seconds) => metrics.leaderSilent(topic, partition, seconds),
      onOpenTransaction: (topic, partition, seconds) => metrics.openTransaction(topic, partition, seconds),
      onLost: (topic, _, offsets) => metrics.offsetsLost(topic, offsets),
      onReplaced: (topic, partition, begin) => {
        this.#delivery.replaced(topic, partition)
        this.shards.replaced(topic, partition, begin)
      },
      onHeartbeat: (sent) => {
        quota.heartbeat(sent)
        metrics.heartbeat(clock.epochMs())
        this.shards.heartbeat()
      },
      // Once per fetch and heartbeat, not per partition: the backlog is a sum over all of them.
      onActivity: () => {
        onActivity()
        metrics.laneBacklog(this.shards.backlog)
      },
      onEnd: (cause) => {
        this.#over()
        this.#ended.resolve(cause)
      },
      onCrash: (message) => onFatal(`The Kafka consumer has stopped and the service exits: ${message}`),
      onDefect,
    }
  }
}
