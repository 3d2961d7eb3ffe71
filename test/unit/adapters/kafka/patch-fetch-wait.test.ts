import { expect, test } from 'vitest'
import { ConsumerGroupClass } from '../../../../src/adapters/kafka/internals.ts'
import { patchFetchWait } from '../../../../src/adapters/kafka/patch-fetch-wait.ts'

const TOPIC = 'in'
const LONGEST_MS = 500
const BROKER = 1

type Topics = readonly { topic: string; partitions: number[] }[]
type Group = typeof ConsumerGroupClass.prototype & {
  readonly subscriptionState: { assign(of: Topics): void; pause(of: Topics): void; resume(of: Topics): void }
}

/** As kafkajs makes it, with two partitions of its own and a broker that notes for how long a fetch would wait. */
function memberOf(waits: number[], maxWaitMs: number) {
  const Group = ConsumerGroupClass as unknown as new (options: object) => Group
  const broker = {
    fetch: (request: { maxWaitTime: number }) => {
      waits.push(request.maxWaitTime)
      return Promise.resolve({ responses: [] })
    },
  }
  const cluster = {
    refreshMetadataIfNecessary: () => Promise.resolve(),
    findTopicPartitionMetadata: () => [0, 1].map((partitionId) => ({ partitionId, leader: BROKER })),
    findBroker: () => Promise.resolve(broker),
  }
  const offsetManager = {
    committedOffsets: () => ({ [TOPIC]: { 0: '0', 1: '0' } }),
    nextOffset: () => '0',
    resolveOffsets: () => Promise.resolve(),
  }
  const logger = { namespace: () => ({ debug: () => undefined }) }
  const options = {
    logger,
    cluster,
    topics: [TOPIC],
    topicConfigurations: {},
    retry: {},
    maxWaitTimeInMs: maxWaitMs,
  }
  const group = Object.assign(new Group(options), { offsetManager })
  group.subscriptionState.assign([{ topic: TOPIC, partitions: [0, 1] }])
  return group
}

test('a fetch waits a little only while a partition is paused', async () => {
  patchFetchWait()
  const waits: number[] = []
  const member = memberOf(waits, LONGEST_MS)
  await member.fetch(BROKER)
  member.subscriptionState.pause([{ topic: TOPIC, partitions: [1] }])
  await member.fetch(BROKER)
  member.subscriptionState.resume([{ topic: TOPIC, partitions: [1] }])
  await member.fetch(BROKER)
  expect(waits).toEqual([LONGEST_MS, 50, LONGEST_MS])
})

test('a fetch never waits for longer than it was set up to', async () => {
  patchFetchWait()
  const waits: number[] = []
  const member = memberOf(waits, 20)
  member.subscriptionState.pause([{ topic: TOPIC, partitions: [1] }])
  await member.fetch(BROKER)
  expect(waits).toEqual([20])
})
