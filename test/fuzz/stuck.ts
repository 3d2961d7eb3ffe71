/** Finds stuck partitions and moves the group past their records, so that one run can find several faults. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import type { Environment } from '../../dev/harness/environment.ts'
import { withAdmin } from '../../src/adapters/kafka/admin/topics.ts'
import type { BrokerConnection, Position } from './broker.ts'
import type { StoredRecord } from './record-batch.ts'

export interface StuckRecord {
  readonly topic: string
  readonly partition: number
  /** Offset of the record that does not come out. */
  readonly offset: bigint
  /** Source position in the headers of a retry copy. */
  readonly source: string | null
}

const RETRY_SUFFIX = '.1s'

/** Partitions with records after the committed offset. Transaction markers alone do not count. */
export async function findStuck(
  kafka: Kafka,
  connection: BrokerConnection,
  { topics, groupId }: Environment,
): Promise<StuckRecord[]> {
  const names = [topics.input, topics.retryPrefix + RETRY_SUFFIX]
  const committed = await withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId, topics: names }))
  const stuck: StuckRecord[] = []
  for (const { topic, partitions } of committed) {
    for (const { partition, offset } of partitions) {
      const position = { topic, partition, offset: BigInt(Math.max(0, Number(offset))) }
      const record = await firstRecord(connection, position)
      if (record !== null) stuck.push({ topic, partition, offset: record.offset, source: sourceOf(record) })
    }
  }
  return stuck
}

async function firstRecord(connection: BrokerConnection, from: Position): Promise<StoredRecord | null> {
  let position = from
  for (;;) {
    const [fetched] = await connection.fetch([position])
    const [record] = fetched?.records ?? []
    if (record !== undefined) return record
    if (fetched === undefined || fetched.offset === position.offset) return null
    position = fetched
  }
}

/** Position on the input topic from which a retry copy was made. */
function sourceOf({ headers }: StoredRecord): string | null {
  return headers.findLast(([name]) => name === 'checkresult-source')?.[1]?.toString() ?? null
}

const MAX_TRIES = 30

/** Call this after the service has ended. A killed service remains a member until its session times out. */
export async function stepOver(
  kafka: Kafka,
  { groupId }: Environment,
  stuck: readonly StuckRecord[],
): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const { groups } = await admin.describeGroups([groupId])
      if (groups.every(({ members }) => members.length === 0)) break
      await delay(1_000)
    }
    for (const [topic, all] of Map.groupBy(stuck, (one) => one.topic)) {
      const partitions = all.map(({ partition, offset }) => ({ partition, offset: String(offset + 1n) }))
      await admin.setOffsets({ groupId, topic, partitions })
    }
  })
}
