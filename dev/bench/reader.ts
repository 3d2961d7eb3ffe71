/** Reads results from the current end of the topic. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Width } from './rig.ts'

const POLL_MS = 100

export interface TimedResult {
  readonly sentMs: number
  /** The timestamp of the result record. */
  readonly writtenMs: number
  readonly readMs: number
}

/** The reader is paused until `resume` is called. */
export async function startReader({ kafka, environment }: Width, signal: AbortSignal) {
  const { groupId, topics } = environment
  const read = new Map<string, { writtenMs: number; readMs: number }>()
  const consumer = kafka.consumer({ groupId: `${groupId}-bench-reader`, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topics.result], fromBeginning: false })
  const joined = new Promise((resolve) => void consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    // The next reader starts at the end again.
    autoCommit: false,
    eachBatch: ({ batch }) => {
      const readMs = Date.now()
      for (const { key, timestamp } of batch.messages)
        read.set(key?.toString() ?? '', { writtenMs: Number(timestamp), readMs })
      return Promise.resolve()
    },
  })
  await joined
  const all = [{ topic: topics.result }]
  consumer.pause(all)
  return {
    resume: () => consumer.resume(all),
    /** Resolves when the results of all these events are read. */
    resultsOf: async (sentAt: ReadonlyMap<string, number>): Promise<readonly TimedResult[]> => {
      while (![...sentAt.keys()].every((key) => read.has(key))) await delay(POLL_MS, undefined, { signal })
      return [...read].flatMap(([key, result]) => {
        const sentMs = sentAt.get(key)
        return sentMs === undefined ? [] : [{ sentMs, ...result }]
      })
    },
    stop: () => consumer.disconnect(),
  }
}
