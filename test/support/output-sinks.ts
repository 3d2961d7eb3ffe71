/** The three output sinks of a lane behind one interface: the fake one, and both kinds on the shared Kafka. */
import { randomBytes } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { createKafkaClient } from '../../src/adapters/kafka/client.ts'
import { createGroupConsumer } from '../../src/adapters/kafka/group/consumer.ts'
import { createDelivery } from '../../src/adapters/kafka/sinks/delivery.ts'
import { systemClock } from '../../src/adapters/system-clock.ts'
import type { Delivery } from '../../src/core/delivery.ts'
import type { TopicPartition } from '../../src/core/partitions/topic-partition.ts'
import type { Clock, OutputSink, OutputRecord } from '../../src/ports.ts'
import { FakeShard } from './fake-shard.ts'
import { fakeLog, fakeMetrics, sinkOf } from './fakes.ts'
import { createTopics, produce, readCommitted, uniqueName } from './kafka.ts'
import { listHeaders } from './headers.ts'
import { PACKING } from './packing.ts'

export interface SinksOfOnePartition {
  /** Claims the shard of the input topic's partitions 0 and 16. */
  claim(): Promise<OutputSink>
  /** The first partition of the input topic. */
  readonly input: TopicPartition
  /** An output topic with two partitions and a limit of 1 MB per record. */
  readonly topic: string
  /** The records that a read_committed consumer reads from the topic, once there are this many. */
  written(count: number): Promise<OutputRecord[]>
  /** Lets the next publish of these outputs fail. */
  failing(outputs: readonly OutputRecord[]): OutputRecord[]
  /** Outputs that are rejected instead of these. */
  refused(outputs: readonly OutputRecord[]): OutputRecord[]
}

export function fakeSinks(): Promise<SinksOfOnePartition> {
  const broker = new FakeShard()
  const input = { topic: 'in', partition: 0 }
  broker.refuses = ({ value }) => value === TOO_LARGE
  return Promise.resolve({
    claim: async () => sinkOf(await broker.claim(0, [input, { ...input, partition: 16 }])),
    input,
    topic: 'out',
    written: () => Promise.resolve(broker.outputs),
    failing: (outputs) => {
      broker.faults.push('failed')
      return [...outputs]
    },
    refused: tooLarge,
  })
}

export async function kafkaSinks(
  delivery: Delivery,
  clock: Clock = systemClock,
): Promise<SinksOfOnePartition> {
  const { createCluster } = createKafkaClient(
    { brokers: inject('brokers'), clientId: 'test', tls: null, sasl: null },
    fakeLog(),
  )
  const [input, topic, groupId] = [uniqueName('in'), uniqueName('out'), uniqueName('group')]
  await createTopics([
    { topic: input, numPartitions: 17 },
    { topic, numPartitions: 2 },
  ])
  const first = { topic: input, partition: 0 }
  const received = Promise.withResolvers<void>()
  const consumer = createGroupConsumer({
    createCluster,
    groupId,
    inputTopic: input,
    retryTopics: [],
    instance: null,
    sessionTimeoutMs: 10_000,
    permits: null,
    startOffset: 'earliest',
    clock: systemClock,
    log: fakeLog(),
    hooks: {
      onBeforeRejoin: () => {},
      onRebalancing: () => {},
      onAssigned: ({ memberId }, assignment) => ends.assigned(memberId, assignment),
      onRecords: () => received.resolve(),
      onProgress: () => {},
      onLeaderSilent: () => {},
      onOpenTransaction: () => {},
      onLost: () => {},
      onReplaced: () => {},
      onHeartbeat: () => {},
      onActivity: () => {},
      onEnd: (message) => received.reject(new Error(message)),
      onCrash: (message) => received.reject(new Error(message)),
      onDefect: (error) => received.reject(error),
    },
  })
  const ends = createDelivery({
    onWidth: () => undefined,
    delivery,
    createCluster,
    groupId,
    inputTopic: input,
    topics: [topic],
    usualTopic: topic,
    consumer,
    packing: PACKING,
    clock,
    metrics: fakeMetrics(),
    log: fakeLog(),
  })
  onTestFinished(async () => consumer.stop())
  await produce(input, [{ value: 'an event' }])
  await consumer.start()
  await received.promise
  return {
    claim: async () => sinkOf(await ends.claim(0, [first, { ...first, partition: 16 }])),
    input: first,
    topic,
    written: async (count) => {
      const records = await readCommitted([topic], { until: count })
      return records.map(({ topic: of, partition, key, value, headers }) => ({
        topic: of,
        partition,
        key,
        value,
        headers: listHeaders(headers),
      }))
    },
    failing: tooLarge,
    refused: tooLarge,
  }
}

const TOO_LARGE = randomBytes(2 * 1024 * 1024)

function tooLarge(outputs: readonly OutputRecord[]): OutputRecord[] {
  return outputs.map((output) => ({ ...output, value: TOO_LARGE }))
}
