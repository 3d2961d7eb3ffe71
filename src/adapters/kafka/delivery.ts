/** How outputs and offsets get to the brokers, by what was promised of them. */
import type { Delivery } from '../../core/delivery.ts'
import type { ClaimPartition, Clock, Log, Metrics } from '../../ports.ts'
import { createClaimAtLeastOnce } from './at-least-once-sink.ts'
import type { ClaimClusterOptions } from './claim-cluster.ts'
import type { GroupConsumer } from './consumer.ts'
import { OffsetCommits } from './offset-commits.ts'
import type { Packing } from './produce.ts'
import { createClaimPartition } from './transactional-sink.ts'

export interface DeliveryOptions extends ClaimClusterOptions {
  readonly delivery: Delivery
  readonly groupId: string
  /** Where most outputs go. */
  readonly usualTopic: string
  /** The consumer whose member commits offsets; asked for once there is something to commit. */
  readonly consumer: () => Pick<GroupConsumer, 'commit'>
  readonly packing: Packing
  readonly clock: Pick<Clock, 'after' | 'epochMs'>
  readonly metrics: Pick<Metrics, 'offsetCommit'>
  readonly log: Log
}

export interface KafkaDelivery {
  readonly claim: ClaimPartition
  /** The group is about to decide anew. */
  rebalancing(): void
  /** The log of an input partition is another one: offsets of the old one must not be committed any more. */
  replaced(topic: string, partition: number): void
  /** What the group decided; to be told before the lanes are. */
  assigned(memberId: string, assignment: Readonly<Record<string, readonly number[]>>): void
}

export function createDelivery(options: DeliveryOptions): KafkaDelivery {
  if (options.delivery === 'exactly-once') {
    return {
      claim: createClaimPartition(options),
      rebalancing: () => {},
      replaced: () => {},
      assigned: () => {},
    }
  }
  const { consumer, clock, metrics, log } = options
  const commits = new OffsetCommits({
    send: (topics) => consumer().commit(topics),
    clock,
    metrics,
    log,
  })
  return {
    claim: createClaimAtLeastOnce({ ...options, commits }),
    rebalancing: () => commits.rebalancing(),
    replaced: (topic, partition) => commits.forget({ topic, partition }),
    assigned: (memberId, assignment) => commits.assigned(memberId, assignment),
  }
}
