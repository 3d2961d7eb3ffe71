/** The dependencies of a lane. Only the partition and its flow differ between lanes. */
import type { TopicPartition } from '../../core/partitions/topic-partition.ts'
import type { Clock, Metrics, PartitionFlow } from '../../ports.ts'
import type { BlockedPartitions } from './blocked-partitions.ts'
import type { DeadLetterNotices } from '../dead-letters/dead-letter-notices.ts'
import type { Outputs } from '../record/outputs.ts'
import type { ProcessRecord } from '../record/process-record.ts'
import type { RecordBudget } from './record-budget.ts'

/**
 *   claiming → running → draining
 *      ↑  ←——————┤          │
 *   fenced ←—————┘          ↓      any phase → closed
 *
 * Records start only while the shard is running, and are dropped when it is fenced.
 */
export type ShardPhase = 'claiming' | 'running' | 'draining' | 'fenced' | 'closed'

/** The shard of a lane. */
export interface LaneOwner {
  readonly phase: ShardPhase
  /** The committed offset of the lane as of the shard's claim; null if none was ever committed. */
  committedOffset(lane: TopicPartition): bigint | null
  /** A call of this partition has started, so an output will follow. */
  prepare(partition: number): void
  /** A record of the lane has finished. */
  advance(): void
}

export interface LaneOptions {
  readonly topic: string
  readonly partition: number
  readonly owner: LaneOwner
  /** A record is not started before its timestamp plus this delay; 0 on the input topic. */
  readonly delayMs: number
  readonly processRecord: ProcessRecord
  /** Creates replacements for outputs that the brokers permanently reject. */
  readonly outputs: Pick<Outputs, 'replacement'>
  readonly budget: RecordBudget
  readonly blocked: Pick<BlockedPartitions, 'block' | 'clear' | 'forget'>
  readonly flow: PartitionFlow
  /** Whether the lane may start more records than its guaranteed few. */
  readonly mayStartMore: () => boolean
  readonly clock: Clock
  readonly metrics: Metrics
  readonly deadLetterNotices: Pick<DeadLetterNotices, 'add'>
  /** An unexpected exception. The process must exit. */
  readonly onDefect: (error: unknown) => void
}
