/** Situations that a real broker cannot be forced into: a partition that moves. All others are in test/integration/output-log. */
import { expect, test } from 'vitest'
import { createClaimAtLeastOnce } from '../../../../../src/adapters/kafka/sinks/at-least-once-sink.ts'
import type { Broker, Cluster } from '../../../../../src/adapters/kafka/kafkajs/internals.ts'
import type { OutputRecord } from '../../../../../src/ports.ts'
import { IN_0 } from '../../../../support/shard-bed.ts'
import { PACKING } from '../../../../support/packing.ts'
import { FakeClock, flushPromises } from '../../../../support/fake-clock.ts'
import { sinkOf } from '../../../../support/fakes.ts'

const outputs: readonly OutputRecord[] = [
  { topic: 'out', partition: 0, key: null, value: Buffer.from('value'), headers: [] },
]

/** Two brokers. The metadata names the first as leader until it was read again after `movedAfter` rejections. */
async function setUp(movedAfter: number) {
  const clock = new FakeClock()
  const asked: number[] = []
  const noted: bigint[] = []
  const widths = new Map<string, number>()
  let leader = 1
  const broker = (nodeId: number): Broker =>
    ({
      nodeId,
      findGroupCoordinator: () => Promise.resolve({ coordinator: { nodeId: 1 } }),
      offsetFetch: () => Promise.resolve({ responses: [] }),
      versions: null,
      connectionPool: {
        send: () => {
          asked.push(nodeId)
          return nodeId === 2 ? answered(0) : answered(NOT_LEADER)
        },
      },
    }) as Partial<Broker> as Broker
  const cluster = {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    addMultipleTargetTopics: () => Promise.resolve(),
    refreshMetadata: () => {
      if (asked.length >= movedAfter) leader = 2
      return Promise.resolve()
    },
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader }],
    findLeaderForPartitions: () => ({ [leader]: [0] }),
    findBroker: ({ nodeId }: { nodeId: number }) => Promise.resolve(broker(nodeId)),
    brokerPool: { findConnectedBroker: () => Promise.resolve(broker(1)) } as Cluster['brokerPool'],
  } as Partial<Cluster> as Cluster
  const claim = createClaimAtLeastOnce({
    onWidth: (topic, partitions) => widths.set(topic, partitions),
    createCluster: () => cluster,
    groupId: 'group',
    topics: ['out'],
    commits: {
      note: (offsets) => void noted.push(...offsets.map(({ nextOffset }) => nextOffset)),
      flush: () => Promise.resolve(),
    },
    packing: PACKING,
    clock,
  })
  return { log: sinkOf(await claim(0, [IN_0])), clock, asked, noted, widths }
}

test('an output follows its partition to the new leader, and its offset is committed after it', async () => {
  const { log, clock, asked, noted } = await setUp(2)
  const published = log.publish(outputs, [{ ...IN_0, nextOffset: 1n }])
  await flushPromises()
  expect(noted).toEqual([])
  await clock.advance(1_000)
  expect(await published).toEqual({ kind: 'committed' })
  expect(asked).toEqual([1, 1, 2])
  expect(noted).toEqual([1n])
})

test('a publish fails with a message if no leader is found in time, and no offset is committed', async () => {
  const { log, clock, noted } = await setUp(Infinity)
  const published = log.publish(outputs, [{ ...IN_0, nextOffset: 1n }])
  await clock.advance(10_000)
  expect(await published).toEqual({
    kind: 'failed',
    failure: {
      code: 'NOT_LEADER_FOR_PARTITION',
      message: expect.stringContaining('NOT_LEADER_FOR_PARTITION'),
      temporary: true,
    },
  })
  expect(noted).toEqual([])
})

/** The protocol's error code of NOT_LEADER_FOR_PARTITION. */
const NOT_LEADER = 6

function answered(errorCode: number) {
  return Promise.resolve({ topics: [{ topicName: 'out', partitions: [{ partition: 0, errorCode }] }] })
}

test('a claim returns the current partition counts of the topics', async () => {
  const { widths } = await setUp(1)
  expect([...widths]).toEqual([['out', 1]])
})
