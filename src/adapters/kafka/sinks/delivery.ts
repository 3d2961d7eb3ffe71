/** Chooses how outputs and offsets are written, depending on the delivery mode. */
import type { Delivery } from '../../../core/delivery.ts'
import type { ClaimShard, Log, Metrics } from '../../../ports.ts'
import { createClaimAtLeastOnce } from './at-least-once-sink.ts'
import type { ClaimClusterOptions } from './claim-cluster.ts'
import type { GroupConsumer } from '../group/consumer.ts'
import { OffsetCommits } from '../group/offset-commits.ts'
import type { Packing } from './produce.ts'
import { createClaimTransactional } from './transactional-sink.ts'

export interface DeliveryOptions extends ClaimClusterOptions {
  readonly delivery: Delivery
  readonly inputTopic: string
  /** The topic of most outputs. */
  readonly usualTopic: string
  /** The consumer whose member commits offsets. */
  readonly consumer: Pick<GroupConsumer, 'commit'>
  readonly packing: Packing
  readonly metrics: Pick<Metrics, 'offsetCommit'>
  readonly log: Log
}

export interface KafkaDelivery {
  readonly claim: ClaimShard
  /** The group is about to rebalance. */
  rebalancing(): void
  /** The log of an input partition was replaced: offsets of the old log must no longer be committed. */
  replaced(topic: string, partition: number): void
  /** The group's decision. Must be called before the lanes learn about it. */
  assigned(memberId: string, assignment: Readonly<Record<string, readonly number[]>>): void
  /** The membership is over. */
  close(): void
}

export function createDelivery(options: DeliveryOptions): KafkaDelivery {
  if (options.delivery === 'exactly-once') {
    return {
      claim: createClaimTransactional(options),
      rebalancing: () => {},
      replaced: () => {},
      assigned: () => {},
      close: () => {},
    }
  }
  const { consumer, clock, metrics, log } = options
  const commits = new OffsetCommits({
    send: (topics) => consumer.commit(topics),
    clock,
    metrics,
    log,
  })
  return {
    claim: createClaimAtLeastOnce({ ...options, commits }),
    rebalancing: () => commits.rebalancing(),
    replaced: (topic, partition) => commits.forget({ topic, partition }),
    assigned: (memberId, assignment) => commits.assigned(memberId, assignment),
    close: () => commits.close(),
  }
}
