/** Decodes a Fetch response. The records of each partition stay bytes. */
import type { AbortedTransaction } from './aborted-transactions.ts'
import { WireReader } from './wire-reader.ts'

export interface FetchAnswer {
  readonly errorCode: number
  /** 0 if the broker keeps no session. */
  readonly sessionId: number
  readonly partitions: readonly PartitionAnswer[]
  /** kafkajs delays further requests for this many milliseconds. */
  readonly clientSideThrottleTime?: number
}

export interface PartitionAnswer {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: bigint
  /** Where read-committed readers stop: at the first record of an open transaction. */
  readonly lastStableOffset: bigint
  /** -1 if the broker does not report it. */
  readonly logStartOffset: bigint
  /** Sorted by when they ended. */
  readonly aborted: readonly AbortedTransaction[]
  /** Record batches. The last one may be truncated. */
  readonly records: Buffer
}

/** Versions 4 to 10. */
export function decodeFetchAnswer(payload: Buffer, version: number): FetchAnswer {
  const reader = new WireReader(payload)
  const throttledMs = reader.int32()
  const head = version >= 7 ? { errorCode: reader.int16(), sessionId: reader.int32() } : NO_SESSION
  const partitions: PartitionAnswer[] = []
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    const topic = reader.string()
    for (let left = reader.int32(); left > 0; left -= 1)
      partitions.push(readPartition(reader, topic, version))
  }
  // Before version 8 the broker itself delays its answer.
  return { ...head, partitions, ...(version >= 8 ? { clientSideThrottleTime: throttledMs } : {}) }
}

const NO_SESSION = { errorCode: 0, sessionId: 0 } as const

function readPartition(reader: WireReader, topic: string, version: number): PartitionAnswer {
  return {
    topic,
    partition: reader.int32(),
    errorCode: reader.int16(),
    highWatermark: reader.int64(),
    lastStableOffset: reader.int64(),
    logStartOffset: version >= 5 ? reader.int64() : -1n,
    aborted: readAborted(reader),
    records: detached(reader.bytes()),
  }
}

/**
 * A slice keeps the memory of the whole response alive. A small part of a large response is copied, because with
 * many partitions most of the retained memory would be garbage otherwise.
 */
function detached(records: Buffer): Buffer {
  const isSmallPart = records.length > 0 && records.length * 2 < records.buffer.byteLength
  return isSmallPart ? Buffer.from(records) : records
}

function readAborted(reader: WireReader): PartitionAnswer['aborted'] {
  const count = reader.int32()
  if (count <= 0) return []
  return Array.from({ length: count }, () => ({
    producerId: reader.int64(),
    firstOffset: reader.int64(),
  }))
}
