/** The dependencies of a lane. Only the partition and its flow differ between lanes. */
import type { BlockedPartitions } from './blocked-partitions.ts'
import type { DeadLetterLimit } from './dead-letter-limit.ts'
import type { DeadLetterNotices } from './dead-letter-notices.ts'
import type { Outputs } from './outputs.ts'
import type { RecordBudget } from './record-budget.ts'
import type { ProcessRecord } from './process-record.ts'
import type { ClaimPartition, Clock, Log, Metrics, PartitionFlow } from '../ports.ts'

export type LaneState = 'claiming' | 'running' | 'fenced' | 'closed'

export interface LaneOptions {
  readonly topic: string
  readonly partition: number
  /** A record is not started before its timestamp plus this delay; 0 on the input topic. */
  readonly delayMs: number
  readonly claim: ClaimPartition
  readonly processRecord: ProcessRecord
  /** Creates replacements for outputs that the brokers permanently reject. */
  readonly outputs: Pick<Outputs, 'replacement'>
  readonly deadLetterLimit: Pick<DeadLetterLimit, 'allows'>
  readonly budget: RecordBudget
  readonly blocked: Pick<BlockedPartitions, 'block' | 'clear' | 'forget'>
  readonly flow: PartitionFlow
  /** Whether the lane may start more records than its guaranteed few. */
  readonly mayStartMore: () => boolean
  readonly clock: Clock
  readonly metrics: Metrics
  readonly deadLetterNotices: Pick<DeadLetterNotices, 'add'>
  readonly log: Log
  /** An unexpected exception. The process must exit. */
  readonly onDefect: (error: unknown) => void
}
