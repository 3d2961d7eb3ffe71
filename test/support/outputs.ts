/** Reads the outputs of a run as a read_committed consumer and checks that each event has exactly one. */
import avsc from 'avsc'
import { schemaJson } from '../../src/adapters/registry/schemas.ts'
import type { VerificationResult } from '../../src/core/records/schema-types.ts'
import type { Kafka, Producer } from 'kafkajs'
import { uniqueName, type ReadRecord } from './kafka.ts'
import { patchFetch } from '../../dev/harness/patch-fetch.ts'

/** `topic:partition:offset` of an event on the input topic. */
export type Coordinates = string

export interface OutputTopics {
  readonly result: string
  readonly deadLetter: string
}

export interface Outputs {
  /** In the order in which they were read. Grows while reading. */
  readonly records: readonly ReadRecord[]
  /** Resolves when this is true for the outputs read so far. Rejects after a minute. */
  until(enough: () => boolean): Promise<void>
  close(): Promise<void>
}

const UNTIL_TIMEOUT_MS = 60_000
const HEADER_BYTES = 5

/** Reads the topics from the beginning until closed. */
export async function watchCommitted(kafka: Kafka, topics: readonly string[]): Promise<Outputs> {
  patchFetch()
  const consumer = kafka.consumer({
    groupId: uniqueName('watcher'),
    readUncommitted: false,
    maxWaitTimeInMs: 50,
    // Reconnects quickly after an outage of the brokers.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 1_000 },
  })
  const records: ReadRecord[] = []
  const waiting = new Set<() => void>()
  // kafkajs starts from the beginning after a long outage of the brokers, so skip records that were read before.
  const readUpTo = new Map<string, bigint>()
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const partition = `${batch.topic}:${batch.partition}`
      for (const { offset, timestamp, key, value, headers = {} } of batch.messages) {
        const position = { topic: batch.topic, partition: batch.partition, offset: BigInt(offset) }
        if (position.offset <= (readUpTo.get(partition) ?? -1n)) continue
        readUpTo.set(partition, position.offset)
        records.push({ ...position, timestampMs: Number(timestamp), key, value, headers })
      }
      for (const look of waiting) look()
    },
  })
  return {
    records,
    until: (enough) => untilTrue(enough, waiting, () => records.length),
    close: async () => consumer.disconnect(),
  }
}

function untilTrue(enough: () => boolean, waiting: Set<() => void>, count: () => number): Promise<void> {
  if (enough()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (enough()) done(resolve)
    }
    const done = (end: () => void): void => {
      clearTimeout(tooLong)
      waiting.delete(look)
      end()
    }
    const tooLong = setTimeout(() => {
      done(() => reject(new Error(`Only ${count()} outputs were read in ${UNTIL_TIMEOUT_MS} ms.`)))
    }, UNTIL_TIMEOUT_MS)
    waiting.add(look)
  })
}

const SENTINEL = 'test-sentinel'

/**
 * Resolves when everything written so far has been read. It writes a record to each partition and waits for it:
 * nothing can follow it, and an open transaction before it would hide it.
 */
export async function readToTheEnd(
  outputs: Outputs,
  producer: Producer,
  partitions: ReadonlyMap<string, number>,
): Promise<void> {
  const round = uniqueName('round')
  const wanted = [...partitions.values()].reduce((sum, count) => sum + count, 0)
  const topicMessages = [...partitions].map(([topic, count]) => ({
    topic,
    messages: Array.from({ length: count }, (_, partition) => ({
      partition,
      value: '',
      headers: { [SENTINEL]: round },
    })),
  }))
  await producer.sendBatch({ topicMessages })
  const isOurs = ({ headers }: ReadRecord): boolean => String(headers[SENTINEL]) === round
  await outputs.until(() => outputs.records.filter(isOurs).length === wanted)
}

export function isSentinel({ headers }: ReadRecord): boolean {
  return headers[SENTINEL] !== undefined
}

const resultType = avsc.Type.forSchema(JSON.parse(schemaJson('verification-result')) as avsc.Schema)

export function decodeResult({ value }: Pick<ReadRecord, 'value'>): VerificationResult {
  return resultType.fromBuffer((value ?? Buffer.alloc(0)).subarray(HEADER_BYTES)) as VerificationResult
}

/** The position of the event of a result or a dead letter. */
export function sourceOf(record: ReadRecord, topics: OutputTopics): Coordinates {
  if (record.topic === topics.result) {
    const { topic, partition, offset } = decodeResult(record).source
    return `${topic}:${partition}:${offset}`
  }
  const at = (name: string): string => header(record, `__connect.errors.${name}`)
  return `${at('topic')}:${at('partition')}:${at('offset')}`
}

/** The text of a header. Empty if the header is missing. */
export function header({ headers }: Pick<ReadRecord, 'headers'>, name: string): string {
  const value = headers[name]
  return value === undefined ? '' : value.toString()
}

export interface Tally {
  readonly lost: readonly Coordinates[]
  readonly repeated: readonly Coordinates[]
  /** Outputs of events that were not sent. */
  readonly strange: readonly Coordinates[]
}

export const EXACTLY_ONCE: Tally = { lost: [], repeated: [], strange: [] }

export function tally(sent: readonly Coordinates[], cameOut: readonly Coordinates[]): Tally {
  const wanted = new Set(sent)
  const seen = new Set<Coordinates>()
  const repeated = cameOut.filter((one) => seen.size === seen.add(one).size)
  return {
    lost: sent.filter((one) => !seen.has(one)),
    repeated,
    strange: [...seen].filter((one) => !wanted.has(one)),
  }
}
