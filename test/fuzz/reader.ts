/** Reads the output topics from their beginning until closed. */
import { BrokerConnection, type Position } from './broker.ts'
import type { StoredRecord } from './record-batch.ts'

export interface OutputReader {
  /** Resolves when everything committed by now has been passed on. */
  untilCaughtUp(): Promise<void>
  close(): Promise<void>
}

export interface ReaderOptions {
  readonly broker: string
  readonly topics: readonly string[]
  readonly partitions: number
  readonly onRecord: (topic: string, record: StoredRecord) => void
}

/** A round that was already under way when this was called does not count. */
const ROUNDS = 3

export async function followOutputs({
  broker,
  topics,
  partitions,
  onRecord,
}: ReaderOptions): Promise<OutputReader> {
  const connection = await BrokerConnection.open(broker)
  let positions: readonly Position[] = topics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0n })),
  )
  const state = { isOpen: true }
  let emptyRounds = 0
  let failed: unknown = null
  const listeners = new Set<() => void>()
  const follow = async (): Promise<void> => {
    while (state.isOpen) {
      const fetched = await connection.fetch(positions)
      const byPartition = new Map(fetched.map((one) => [`${one.topic}:${one.partition}`, one]))
      let isNew = false
      positions = positions.map((position) => {
        const one = byPartition.get(`${position.topic}:${position.partition}`)
        if (one === undefined) return position
        for (const record of one.records) onRecord(one.topic, record)
        isNew ||= one.offset > position.offset
        return { topic: one.topic, partition: one.partition, offset: one.offset }
      })
      // Partitions that returned records go last in the next request, because the response fills up before it reaches
      // all partitions.
      positions = [...positions.slice(1), ...positions.slice(0, 1)]
      emptyRounds = isNew ? 0 : emptyRounds + 1
      for (const tell of listeners) tell()
    }
  }
  const following = follow().catch((error: unknown) => {
    failed = error
    for (const tell of listeners) tell()
  })
  return {
    untilCaughtUp: () =>
      new Promise((resolve, reject) => {
        emptyRounds = 0
        const tell = (): void => {
          if (failed === null && emptyRounds < ROUNDS) return
          listeners.delete(tell)
          if (failed === null) resolve()
          else reject(asError(failed))
        }
        listeners.add(tell)
        tell()
      }),
    close: async () => {
      state.isOpen = false
      await following
      connection.close()
      if (failed !== null) throw failed
    },
  }
}

function asError(failed: unknown): Error {
  return failed instanceof Error ? failed : new Error(String(failed))
}
