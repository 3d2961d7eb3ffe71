/** Partitions that stand still, and the offsets the group is put to so that a run finds more than its first fault. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import type { Environment } from '../../dev/harness/environment.ts'
import { withAdmin } from '../../src/adapters/kafka/topics.ts'

export interface Place {
  readonly topic: string
  readonly partition: number
  /** Committed: the record that does not come out. */
  readonly offset: bigint
}

const RETRY_SUFFIX = '.1s'

/** The partitions with records behind the committed offset. Markers of transactions count as records here. */
export function findStuck(kafka: Kafka, { topics, groupId }: Environment): Promise<Place[]> {
  return withAdmin(kafka, async (admin) => {
    const names = [topics.input, topics.retryPrefix + RETRY_SUFFIX]
    const committed = await admin.fetchOffsets({ groupId, topics: names })
    const stuck: Place[] = []
    for (const { topic, partitions } of committed) {
      const ends = new Map(
        (await admin.fetchTopicOffsets(topic)).map((one) => [one.partition, BigInt(one.high)]),
      )
      for (const { partition, offset } of partitions) {
        const next = BigInt(offset) < 0n ? 0n : BigInt(offset)
        if (next < (ends.get(partition) ?? 0n)) stuck.push({ topic, partition, offset: next })
      }
    }
    return stuck
  })
}

const MAX_TRIES = 30

/** To be called when the service has ended; a service that was killed is in the group until its session ends. */
export async function stepOver(
  kafka: Kafka,
  { groupId }: Environment,
  places: readonly Place[],
): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const { groups } = await admin.describeGroups([groupId])
      if (groups.every(({ members }) => members.length === 0)) break
      await delay(1_000)
    }
    for (const [topic, all] of Map.groupBy(places, (place) => place.topic)) {
      const partitions = all.map(({ partition, offset }) => ({ partition, offset: String(offset + 1n) }))
      await admin.setOffsets({ groupId, topic, partitions })
    }
  })
}
