/** Outputs cut into produce requests: one topic-partition each, for a request to several may fail in part. */
import type { OutputRecord } from '../../ports.ts'
import type { ProducedMessage } from './internals.ts'
import { toObject } from './object-headers.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** The broker takes no batch above max.message.bytes, 1 MiB unless told otherwise. */
const BATCH_MOST_BYTES = 512 * 1024
/** What a record costs in a batch beside its key, value and headers; generous. */
const RECORD_OVERHEAD_BYTES = 64

export function byPartition(outputs: readonly OutputRecord[]): ReadonlyMap<string, readonly OutputRecord[]> {
  return Map.groupBy(outputs, id)
}

export function id({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}

/** Splits what goes to one partition so that each batch stays well below what a topic takes. */
export function* batches(records: readonly OutputRecord[]): Generator<OutputRecord[]> {
  let batch: OutputRecord[] = []
  let bytes = 0
  for (const record of records) {
    const size = sizeBytes(record)
    if (batch.length > 0 && bytes + size > BATCH_MOST_BYTES) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(record)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

export function toMessage({ key, value, headers }: OutputRecord): ProducedMessage {
  return { key, value, headers: toObject(headers) }
}

function sizeBytes({ key, value, headers }: OutputRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += header.name.length + (header.value?.length ?? 0)
  return bytes
}
