/**
 * Members that join the replicas' group and leave it immediately, one after the other, so that the group never stops
 * rebalancing.
 */
import type { PartitionAssigner } from 'kafkajs'
import { createCoPartitioning } from '../../src/adapters/kafka/group/co-partition-assigner.ts'
import type { Rig } from './rig.ts'

export interface Disturbance {
  stop(): Promise<void>
}

/** The assignment protocol of the replicas, on which all members must agree. */
const SESSION_TIMEOUT_MS = 6_000

export function disturbGroup(rig: Pick<Rig, 'kafka' | 'environment' | 'retryTopics'>): Disturbance {
  const state = { stopped: false }
  const disturbing = disturb(rig, state)
  disturbing.catch(() => undefined)
  return {
    stop: async () => {
      state.stopped = true
      await disturbing
    },
  }
}

async function disturb(
  { kafka, environment, retryTopics }: Pick<Rig, 'kafka' | 'environment' | 'retryTopics'>,
  state: { readonly stopped: boolean },
): Promise<void> {
  const { groupId, topics } = environment
  const assigner: PartitionAssigner = ({ cluster }) => {
    const names = [topics.input, ...retryTopics]
    const { name, metadata, assign } = createCoPartitioning({
      inputTopic: topics.input,
      retryTopics,
      permits: null,
      widths: () =>
        Promise.resolve(new Map(names.map((one) => [one, cluster.findTopicPartitionMetadata(one).length]))),
    })
    return {
      name,
      version: 0,
      protocol: () => ({ name, metadata: metadata() }),
      assign: async ({ members }) => [...(await assign(members))],
    }
  }
  while (!state.stopped) {
    const consumer = kafka.consumer({
      groupId,
      partitionAssigners: [assigner],
      sessionTimeout: SESSION_TIMEOUT_MS,
    })
    const joined = Promise.withResolvers<void>()
    consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve())
    await consumer.connect()
    await consumer.subscribe({ topics: [topics.input, ...retryTopics] })
    await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() })
    await joined.promise
    await consumer.disconnect()
  }
}
