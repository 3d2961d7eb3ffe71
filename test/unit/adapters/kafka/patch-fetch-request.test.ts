import type { TopicPartitions } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConsumerGroupClass } from '../../../../src/adapters/kafka/internals.ts'
import { patchFetchRequest } from '../../../../src/adapters/kafka/patch-fetch-request.ts'

const INPUT = 'in'
const RETRY = 'retry'
const LONGEST_MS = 500
const BROKER = 1

type Group = typeof ConsumerGroupClass.prototype & {
  readonly subscriptionState: Record<'assign' | 'pause' | 'resume', (of: readonly TopicPartitions[]) => void>
}

interface Asked {
  readonly maxWaitTime: number
  readonly topics: readonly { readonly topic: string }[]
}

/** As kafkajs makes it, with a partition of each topic at each of two brokers, which note what they are asked for. */
function memberOf({ maxWaitMs = LONGEST_MS, urgentTopic }: { maxWaitMs?: number; urgentTopic?: string }) {
  const asked: Asked[] = []
  /** Topics that have a record. */
  const full = new Set<string>()
  const Group = ConsumerGroupClass as unknown as new (options: object) => Group
  const broker = {
    fetch: (request: Asked) => {
      asked.push(request)
      const responses = request.topics
        .filter(({ topic }) => full.has(topic))
        .map(({ topic }) => ({ topicName: topic, partitions: [{ partition: 0, messages: [] }] }))
      return Promise.resolve({ responses })
    },
  }
  const cluster = {
    refreshMetadataIfNecessary: () => Promise.resolve(),
    findTopicPartitionMetadata: () =>
      [0, 1].map((partitionId) => ({ partitionId, leader: BROKER + partitionId })),
    findBroker: () => Promise.resolve(broker),
  }
  const offsetManager = {
    committedOffsets: () => ({ [INPUT]: { 0: '0', 1: '0' }, [RETRY]: { 0: '0', 1: '0' } }),
    nextOffset: () => '0',
    resolveOffsets: () => Promise.resolve(),
  }
  const logger = { namespace: () => ({ debug: () => undefined }) }
  const options = {
    logger,
    cluster,
    topics: [INPUT, RETRY],
    topicConfigurations: {},
    assigners: urgentTopic === undefined ? [] : [{ urgentTopic }],
    retry: {},
    maxWaitTimeInMs: maxWaitMs,
  }
  const group = Object.assign(new Group(options), { offsetManager })
  group.subscriptionState.assign([INPUT, RETRY].map((topic) => ({ topic, partitions: [0, 1] })))
  return { group, full, asked, waits: () => asked.map(({ maxWaitTime }) => maxWaitTime) }
}

function topicsOf({ topics }: Asked): string[] {
  return topics.map(({ topic }) => topic)
}

patchFetchRequest()

describe('a fetch', () => {
  test('waits a little only while a partition is paused', async () => {
    const { group, waits } = memberOf({})
    await group.fetch(BROKER)
    group.subscriptionState.pause([{ topic: INPUT, partitions: [1] }])
    await group.fetch(BROKER)
    group.subscriptionState.resume([{ topic: INPUT, partitions: [1] }])
    await group.fetch(BROKER)
    expect(waits()).toEqual([LONGEST_MS, 50, LONGEST_MS])
  })

  test('never waits for longer than it was set up to', async () => {
    const { group, waits } = memberOf({ maxWaitMs: 20 })
    group.subscriptionState.pause([{ topic: INPUT, partitions: [1] }])
    await group.fetch(BROKER)
    expect(waits()).toEqual([20])
  })
})

describe('where one topic is urgent', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('the others are asked for every 200 ms, and no fetch waits past that', async () => {
    const { group, asked, waits } = memberOf({ urgentTopic: INPUT })
    await group.fetch(BROKER)
    vi.advanceTimersByTime(50)
    await group.fetch(BROKER)
    vi.advanceTimersByTime(149)
    await group.fetch(BROKER)
    vi.advanceTimersByTime(1)
    await group.fetch(BROKER)
    expect(asked.map(topicsOf)).toEqual([[INPUT, RETRY], [INPUT], [INPUT], [INPUT, RETRY]])
    expect(waits()).toEqual([LONGEST_MS, 150, 1, LONGEST_MS])
  })

  test('the others are asked for each time for as long as they have something', async () => {
    const { group, full, asked } = memberOf({ urgentTopic: INPUT })
    full.add(RETRY)
    await group.fetch(BROKER)
    await group.fetch(BROKER)
    full.clear()
    await group.fetch(BROKER)
    full.add(INPUT)
    await group.fetch(BROKER)
    expect(asked.map(topicsOf)).toEqual([[INPUT, RETRY], [INPUT, RETRY], [INPUT, RETRY], [INPUT]])
  })

  test('each broker has its turns', async () => {
    const { group, asked } = memberOf({ urgentTopic: INPUT })
    await group.fetch(BROKER)
    await group.fetch(BROKER + 1)
    expect(asked.map(topicsOf)).toEqual([
      [INPUT, RETRY],
      [INPUT, RETRY],
    ])
  })
})

test('where none is urgent, all are asked for each time', async () => {
  const { group, asked, waits } = memberOf({})
  await group.fetch(BROKER)
  await group.fetch(BROKER)
  expect(asked.map(({ topics }) => topics.length)).toEqual([2, 2])
  expect(waits()).toEqual([LONGEST_MS, LONGEST_MS])
})
