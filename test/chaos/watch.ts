/** Reads topics as read_committed from their beginning until closed, and continues when brokers fail. */
import type { Consumer, Kafka } from 'kafkajs'
import { uniqueName, type ReadRecord } from '../support/kafka.ts'
import { patchFetch } from '../../dev/harness/patch-fetch.ts'

export interface Watch {
  close(): Promise<void>
}

/** Passes each record on once, in order within its partition. */
export async function watch(
  kafka: Kafka,
  topics: readonly string[],
  onRecord: (record: ReadRecord) => void,
): Promise<Watch> {
  const read = new Map<string, bigint>()
  const watcher: { consumer: Consumer | null } = { consumer: null }
  const onNewRecord = (record: ReadRecord): void => {
    const position = `${record.topic}:${record.partition}`
    if (record.offset <= (read.get(position) ?? -1n)) return
    read.set(position, record.offset)
    onRecord(record)
  }
  const restart = async (): Promise<void> => {
    if (watcher.consumer === null) return
    watcher.consumer = await start(kafka, { topics, onNewRecord, onEnd: restart })
  }
  watcher.consumer = await start(kafka, { topics, onNewRecord, onEnd: restart })
  return {
    close: async () => {
      const { consumer } = watcher
      watcher.consumer = null
      await consumer?.disconnect()
    },
  }
}

interface Watching {
  readonly topics: readonly string[]
  readonly onNewRecord: (record: ReadRecord) => void
  /** Called when the kafkajs consumer ends, which it may do after a failure. */
  readonly onEnd: () => Promise<void>
}

async function start(kafka: Kafka, { topics, onNewRecord, onEnd }: Watching): Promise<Consumer> {
  patchFetch()
  const consumer = kafka.consumer({
    groupId: uniqueName('watcher'),
    readUncommitted: false,
    maxWaitTimeInMs: 100,
    metadataMaxAge: 5_000,
    retry: { retries: 1_000, maxRetryTime: 2_000 },
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) void onEnd()
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { offset, timestamp, key, value, headers = {} } of batch.messages) {
        const position = { topic: batch.topic, partition: batch.partition, offset: BigInt(offset) }
        onNewRecord({ ...position, timestampMs: Number(timestamp), key, value, headers })
      }
    },
  })
  return consumer
}
