/**
 * Reads a topic from its first record to the last one committed now, without a group or committed offsets. It uses
 * kafkajs's broker objects, because kafkajs's consumer requires a group.
 */
import { setTimeout } from 'node:timers/promises'
import type { InputRecord, PartitionRange, TopicReader } from '../../../ports.ts'
import { fetch } from '../broker-requests.ts'
import { leaderOf } from '../sinks/claim-cluster.ts'
import { decodeRecords, type DecodedRecords } from './decode-records.ts'
import { errorType, explain } from '../errors.ts'
import type { PartitionAnswer } from './fetch-answer.ts'
import { createErrorFromCode, READ_COMMITTED, type Cluster } from '../kafkajs/internals.ts'
import { disconnect } from '../disconnect.ts'
import { targetTopic } from '../admin/target-topic.ts'
import { OperatorError } from '../../../core/safe-error.ts'

export interface TopicReaderOptions {
  readonly createCluster: () => Cluster
  readonly topic: string
}

interface Reading {
  readonly cluster: Cluster
  readonly topic: string
}

const MAX_BYTES = 1024 * 1024
/** Committed records are available, so the broker need not wait for more. */
const MAX_WAIT_MS = 500
const MAX_TRIES = 5
const RETRY_MS = 500
const MAX_RECORDS_AT_ONCE = 500
const UNKNOWN_SERVER_ERROR = -1
const WITHOUT_SESSION = { sessionId: 0, sessionEpoch: -1, forgottenTopics: [] } as const
/** Oversized parts are reported in the dead letter itself. */
const SILENT = { warn: () => undefined }

/** Rejects with an {@link OperatorError}. */
export async function openTopicReader({ createCluster, topic }: TopicReaderOptions): Promise<TopicReader> {
  const reading = { cluster: createCluster(), topic }
  try {
    await reading.cluster.connect()
    await targetTopic(reading.cluster, topic, 'KAFKA_DEAD_LETTER_TOPIC')
    const ranges = await currentRanges(reading)
    return {
      ranges,
      read: (range) => readRange(reading, range),
      close: () => disconnect(reading.cluster),
    }
  } catch (error) {
    await disconnect(reading.cluster)
    throw new OperatorError(explain(error, 'reading dead letters'))
  }
}

async function currentRanges(reading: Reading): Promise<PartitionRange[]> {
  const begins = await offsets(reading, { fromBeginning: true })
  const ends = await offsets(reading, { fromBeginning: false })
  return [...begins]
    .map(([partition, begin]) => ({ partition, begin, end: ends.get(partition) ?? begin }))
    .sort((left, right) => left.partition - right.partition)
}

/** Offsets by partition. The end is that of committed records, because the cluster reads committed. */
async function offsets(
  { cluster, topic }: Reading,
  { fromBeginning }: { fromBeginning: boolean },
): Promise<Map<number, bigint>> {
  const partitions = cluster
    .findTopicPartitionMetadata(topic)
    .map(({ partitionId }) => ({ partition: partitionId }))
  const [found] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning }])
  return new Map(found?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]))
}

async function* readRange(
  reading: Reading,
  { partition, begin, end }: PartitionRange,
): AsyncGenerator<readonly InputRecord[]> {
  let next = begin
  try {
    while (next < end) {
      const fetched = await fetchFrom(reading, partition, next)
      if (fetched === null) {
        next = await laterBegin(reading, partition, next)
        continue
      }
      const from = next
      for await (const { records, nextOffset } of pieces(fetched, from)) {
        next = nextOffset
        yield records.filter(({ offset }) => offset < end)
      }
      if (next === from) throw new OperatorError(unreadable(reading.topic, partition, next))
    }
  } catch (error) {
    throw error instanceof OperatorError ? error : new OperatorError(explain(error, 'reading dead letters'))
  }
}

/** Decodes a few records at a time, because a small response may decompress to a lot. */
async function* pieces(answer: PartitionAnswer, begin: bigint): AsyncGenerator<DecodedRecords> {
  const { topic, partition, aborted, records: bytes } = answer
  let from = begin
  let hasMore = true
  while (hasMore) {
    const piece = await decodeRecords(bytes, {
      topic,
      partition,
      from,
      aborted,
      maxRecords: MAX_RECORDS_AT_ONCE,
      maxBytes: MAX_BYTES,
      log: SILENT,
    })
    yield piece
    from = piece.nextOffset
    hasMore = piece.more
  }
}

/** Null if the offset no longer exists. The request is retried with fresh metadata if the leader has moved. */
async function fetchFrom(
  { cluster, topic }: Reading,
  partition: number,
  offset: bigint,
): Promise<PartitionAnswer | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      if (tries > 1) await cluster.refreshMetadata()
      const leader = await leaderOf(cluster, { topic, partition })
      const { errorCode, partitions } = await fetch(leader, {
        ...WITHOUT_SESSION,
        isolationLevel: READ_COMMITTED,
        maxWaitTime: MAX_WAIT_MS,
        minBytes: 1,
        maxBytes: MAX_BYTES,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: MAX_BYTES }] }],
      })
      const [answer] = partitions
      const code = errorCode === 0 ? (answer?.errorCode ?? UNKNOWN_SERVER_ERROR) : errorCode
      if (code !== 0) throw createErrorFromCode(code)
      return answer ?? null
    } catch (error) {
      if (errorType(error) === 'OFFSET_OUT_OF_RANGE') return null
      if ((error as { retriable?: unknown }).retriable !== true || tries === MAX_TRIES) throw error
    }
    await setTimeout(RETRY_MS)
  }
}

/** The next records have expired in the meantime. */
async function laterBegin(reading: Reading, partition: number, next: bigint): Promise<bigint> {
  const begin = (await offsets(reading, { fromBeginning: true })).get(partition) ?? next
  if (begin <= next) throw new OperatorError(unreadable(reading.topic, partition, next))
  return begin
}

function unreadable(topic: string, partition: number, offset: bigint): string {
  return `Cannot read topic ${topic} at partition ${partition}, offset ${offset}: check whether the topic was deleted and created again, then repeat the command.`
}
