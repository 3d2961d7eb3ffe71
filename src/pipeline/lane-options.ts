/** What a lane needs: the same for all lanes but for the partition and its flow. */
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
  /** A record is not started before its timestamp plus this; 0 on the input topic. */
  readonly delayMs: number
  readonly claim: ClaimPartition
  readonly processRecord: ProcessRecord
  /** What is written in place of outputs that the brokers refuse for good. */
  readonly outputs: Pick<Outputs, 'replacement'>
  readonly deadLetterLimit: Pick<DeadLetterLimit, 'allows'>
  readonly budget: RecordBudget
  readonly blocked: Pick<BlockedPartitions, 'block' | 'clear' | 'forget'>
  readonly flow: PartitionFlow
  /** Whether more records than a lane's own few may wait. */
  readonly mayStartMore: () => boolean
  readonly clock: Clock
  readonly metrics: Metrics
  readonly deadLetterNotices: Pick<DeadLetterNotices, 'add'>
  readonly log: Log
  /** A defect in a step: the process must not go on as if nothing had happened. */
  readonly onDefect: (error: unknown) => void
}
