/** Splits outputs into batches for produce requests. */
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'
import type { OutputRecord } from '../../../ports.ts'
import { BATCH } from '../batch-format.ts'
import { recordBytes } from './encode-batch.ts'

export interface BatchLimits {
  /** The topic's limit. The broker compares it with the whole batch as sent. */
  readonly maxMessageBytes: number
}

export interface RecordGroup {
  readonly records: readonly OutputRecord[]
  /** A single large record, which is always compressed. */
  readonly large: boolean
}

const MAX_BATCH_BYTES = 512 * 1024
const LARGE_RECORD_BYTES = 64 * 1024
/** Default of `message.max.bytes` on a broker. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588

export function byPartition(outputs: readonly OutputRecord[]): ReadonlyMap<string, readonly OutputRecord[]> {
  return Map.groupBy(outputs, partitionKey)
}

/** Each topic-partition of the outputs once. */
export function partitionsOf(outputs: readonly OutputRecord[]): readonly TopicPartition[] {
  return [...byPartition(outputs).values()].flatMap(([first]) => first ?? [])
}

/** Splits the outputs for one partition, in order, so that each batch fits the topic before compression. */
export function* batches(
  records: readonly OutputRecord[],
  { maxMessageBytes }: BatchLimits,
): Generator<RecordGroup> {
  const maxBytes = Math.min(MAX_BATCH_BYTES, maxMessageBytes) - BATCH.records
  let group: OutputRecord[] = []
  let groupBytes = 0
  for (const record of records) {
    const bytes = recordBytes(record)
    const large = bytes > Math.min(LARGE_RECORD_BYTES, maxBytes)
    if (group.length > 0 && (large || groupBytes + bytes > maxBytes)) {
      yield { records: group, large: false }
      group = []
      groupBytes = 0
    }
    if (large) yield { records: [record], large }
    else {
      group.push(record)
      groupBytes += bytes
    }
  }
  if (group.length > 0) yield { records: group, large: false }
}
