/** Situations that a real broker cannot be forced into: responses in any order. All others are in test/integration/output-log. */
import { expect, test } from 'vitest'
import { nextSequence } from '../../../../../src/adapters/kafka/sinks/transactional-producer.ts'
import { createClaimTransactional } from '../../../../../src/adapters/kafka/sinks/transactional-sink.ts'
import type { Broker, Cluster } from '../../../../../src/adapters/kafka/kafkajs/internals.ts'
import type { OutputRecord } from '../../../../../src/ports.ts'
import { FakeClock, flushPromises } from '../../../../support/fake-clock.ts'
import { sinkOf } from '../../../../support/fakes.ts'
import { IN_0 } from '../../../../support/shard-bed.ts'
import { PACKING } from '../../../../support/packing.ts'

const TO_EACH_TOPIC: readonly OutputRecord[] = ['results', 'dead-letters'].map((topic) => ({
  topic,
  partition: 0,
  key: null,
  value: Buffer.from('value'),
  headers: [],
}))

/** Two brokers, each the leader of one topic. They respond at once, except to produce requests, which the test completes. */
async function setUp(outputs = TO_EACH_TOPIC) {
  const produced: PromiseWithResolvers<void>[] = []
  const ends: boolean[] = []
  const broker = {
    nodeId: 1,
    findGroupCoordinator: () => Promise.resolve({ coordinator: { nodeId: 1 } }),
    offsetFetch: () => Promise.resolve({ responses: [] }),
    initProducerId: () => Promise.resolve({ producerId: '1', producerEpoch: 0 }),
    addPartitionsToTxn: () => Promise.resolve(),
    addOffsetsToTxn: () => Promise.resolve(),
    txnOffsetCommit: () => Promise.resolve(),
    endTxn: ({ transactionResult }: { transactionResult: boolean }) => {
      ends.push(transactionResult)
      return Promise.resolve()
    },
    versions: null,
    connectionPool: {
      send: () => {
        const answer = Promise.withResolvers<void>()
        produced.push(answer)
        return answer.promise.then(() => ({ topics: [] }))
      },
    },
  } as Partial<Broker> as Broker
  const other = { ...broker, nodeId: 2 } as Broker
  const cluster = {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    addMultipleTargetTopics: () => Promise.resolve(),
    refreshMetadata: () => Promise.resolve(),
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }],
    findLeaderForPartitions: (topic) => ({ [topic === 'results' ? 1 : 2]: [0] }),
    findBroker: ({ nodeId }) => Promise.resolve(nodeId === 1 ? broker : other),
    brokerPool: { findConnectedBroker: () => Promise.resolve(broker) } as Cluster['brokerPool'],
  } as Partial<Cluster> as Cluster
  const claim = createClaimTransactional({
    onWidth: () => undefined,
    createCluster: () => cluster,
    groupId: 'group',
    inputTopic: 'in',
    topics: ['results', 'dead-letters'],
    usualTopic: 'results',
    packing: PACKING,
    clock: new FakeClock(),
  })
  const publishing = sinkOf(await claim(0, [IN_0])).publish(outputs, [{ ...IN_0, nextOffset: 1n }])
  await flushPromises()
  const [results = Promise.withResolvers<void>(), deadLetters = Promise.withResolvers<void>()] = produced
  return { publishing, results, deadLetters, ends }
}

function refusal(type: string): Error {
  return Object.assign(new Error('refused'), { type })
}

test('a transaction with a rejected output is aborted only after all other produce requests have finished, so that none arrives after the abort', async () => {
  const { publishing, results, deadLetters, ends } = await setUp()
  deadLetters.reject(refusal('MESSAGE_TOO_LARGE'))
  await flushPromises()
  expect(ends).toEqual([])
  results.resolve()
  expect(await publishing).toMatchObject({ kind: 'refused', failure: { code: 'MESSAGE_TOO_LARGE' } })
  expect(ends).toEqual([false])
})

test.each([
  ['INVALID_PRODUCER_EPOCH', 'fenced'],
  ['REQUEST_TIMED_OUT', 'failed'],
])('another failure takes precedence over a rejected output: %s', async (type, kind) => {
  const { publishing, results, deadLetters, ends } = await setUp()
  deadLetters.reject(refusal('MESSAGE_TOO_LARGE'))
  await flushPromises()
  results.reject(refusal(type))
  expect(await publishing).toMatchObject({ kind })
  expect(ends).toEqual([])
})

test.each([TypeError, RangeError])(
  'a %o while sending does not count as a rejected output',
  async (Defect) => {
    const { publishing, results, deadLetters } = await setUp()
    deadLetters.resolve()
    results.reject(new Defect('a defect'))
    expect(await publishing).toMatchObject({ kind: 'failed' })
  },
)

test('sequence numbers of records begin again at 0 after the largest one, as the brokers expect', () => {
  expect([nextSequence(0, 500), nextSequence(2 ** 31 - 2, 1), nextSequence(2 ** 31 - 2, 5)]).toEqual([
    500,
    2 ** 31 - 1,
    3,
  ])
})

test('an output that cannot be encoded counts as rejected', async () => {
  const [output] = TO_EACH_TOPIC
  const broken = { ...output, headers: [null] } as unknown as OutputRecord
  const { publishing, ends } = await setUp([broken])
  expect(await publishing).toMatchObject({ kind: 'refused', failure: { code: 'UNENCODABLE' } })
  expect(ends).toEqual([false])
})
