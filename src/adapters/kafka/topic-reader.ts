/**
 * Reads a topic from its first record to the last that is committed at this moment, and leaves nothing behind: no group,
 * no offsets. On kafkajs's broker objects, as its consumer cannot do without a group.
 */
import { setTimeout } from 'node:timers/promises'
import type { InputRecord, PartitionRange, TopicReader } from '../../ports.ts'
import { committedRecords } from './committed-records.ts'
import { errorType, explain } from './errors.ts'
import { READ_COMMITTED, type Cluster, type FetchedPartition, type FetchedRecord } from './internals.ts'
import { leaderOf } from './claim-cluster.ts'
import { disconnect } from './shared-clusters.ts'
import { fromObject } from './object-headers.ts'
import { OperatorError } from '../../core/safe-error.ts'

export interface TopicReaderOptions {
  readonly createCluster: () => Cluster
  readonly topic: string
}

interface Reading {
  readonly cluster: Cluster
  readonly topic: string
}

const MAX_BYTES = 1024 * 1024
/** What is committed is there: nobody is waited for. */
const MAX_WAIT_MS = 500
const MOST_TRIES = 5
const RETRY_MS = 500

/** Rejects with a sentence. */
export async function openTopicReader({ createCluster, topic }: TopicReaderOptions): Promise<TopicReader> {
  const reading = { cluster: createCluster(), topic }
  try {
    await reading.cluster.connect()
    await reading.cluster.addMultipleTargetTopics([topic])
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

/** By partition. The end is that of what is committed, for the cluster is set up to read so. */
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
): AsyncGenerator<InputRecord[]> {
  let next = begin
  try {
    while (next < end) {
      const fetched = await fetchFrom(reading, partition, next)
      if (fetched === null) {
        next = await laterBegin(reading, partition, next)
        continue
      }
      const from = next
      const last = fetched.messages.at(-1)
      if (last === undefined) throw new OperatorError(unreadable(reading.topic, partition, next))
      next = BigInt(last.offset) + 1n
      // A batch comes whole: with what stands before the offset asked for, and behind the end.
      yield committedRecords(fetched)
        .map((record) => toRecord(reading.topic, partition, record))
        .filter(({ offset }) => offset >= from && offset < end)
    }
  } catch (error) {
    throw error instanceof OperatorError ? error : new OperatorError(explain(error, 'reading dead letters'))
  }
}

/** Null when the offset is not there any more. Leaders move: asked again, with fresh metadata. */
async function fetchFrom(
  { cluster, topic }: Reading,
  partition: number,
  offset: bigint,
): Promise<FetchedPartition | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      if (tries > 1) await cluster.refreshMetadata()
      const leader = await leaderOf(cluster, { topic, partition })
      const { responses } = await leader.fetch({
        isolationLevel: READ_COMMITTED,
        maxWaitTime: MAX_WAIT_MS,
        minBytes: 1,
        maxBytes: MAX_BYTES,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: MAX_BYTES }] }],
      })
      return responses[0]?.partitions[0] ?? { messages: [] }
    } catch (error) {
      if (errorType(error) === 'OFFSET_OUT_OF_RANGE') return null
      if ((error as { retriable?: unknown }).retriable !== true || tries === MOST_TRIES) throw error
    }
    await setTimeout(RETRY_MS)
  }
}

/** What was to be read next has expired meanwhile. */
async function laterBegin(reading: Reading, partition: number, next: bigint): Promise<bigint> {
  const begin = (await offsets(reading, { fromBeginning: true })).get(partition) ?? next
  if (begin <= next) throw new OperatorError(unreadable(reading.topic, partition, next))
  return begin
}

function unreadable(topic: string, partition: number, offset: bigint): string {
  return `Topic ${topic} cannot be read at partition ${partition}, offset ${offset}: check that it was not made anew meanwhile, and run the command again.`
}

function toRecord(topic: string, partition: number, record: FetchedRecord): InputRecord {
  return {
    topic,
    partition,
    offset: BigInt(record.offset),
    timestampMs: Number(record.timestamp),
    key: record.key,
    value: record.value,
    headers: fromObject(record.headers),
  }
}
