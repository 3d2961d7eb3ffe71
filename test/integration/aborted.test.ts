import { expect, inject, onTestFinished, test } from 'vitest'
import { createKafkaClient } from '../../src/adapters/kafka/client.ts'
import { openTopicReader } from '../../src/adapters/kafka/fetch/topic-reader.ts'
import {
  claimProducer,
  type TransactionalProducer,
} from '../../src/adapters/kafka/sinks/transactional-producer.ts'
import { systemClock } from '../../src/adapters/system-clock.ts'
import { PACKING } from '../support/packing.ts'
import { createTopics, produce, readCommitted, uniqueName } from '../support/kafka.ts'
import { fakeLog } from '../support/fakes.ts'

const END = 'the end'

test('records of overlapping aborted transactions are not read, but committed ones between them are', async () => {
  const topic = uniqueName('aborted')
  await createTopics([{ topic, numPartitions: 1 }])
  const [early, late, good] = await Promise.all(
    ['early', 'late', 'good'].map((name) => producer(name, topic)),
  )
  if (early === undefined || late === undefined || good === undefined)
    throw new Error('Expected three producers.')
  for (const one of [early, late, good, early, late, good]) await write(one, topic)
  // The broker lists aborted transactions in the order of their ends, which differs from the order of their starts.
  await late.end({ commit: false })
  await early.end({ commit: false })
  await good.end({ commit: true })
  await produce(topic, [{ value: END }])

  const { createCluster } = client()
  const reader = await openTopicReader({ createCluster, topic })
  onTestFinished(async () => reader.close())
  const read: string[] = []
  for (const range of reader.ranges) {
    for await (const records of reader.read(range)) read.push(...records.map(({ value }) => String(value)))
  }
  expect(read).toEqual(['good', 'good', END])

  const consumed = await readCommitted([topic], {
    until: (all) => all.some(({ value }) => String(value) === END),
  })
  expect(consumed.map(({ value }) => String(value))).toEqual(['good', 'good', END])
})

function client(): ReturnType<typeof createKafkaClient> {
  return createKafkaClient({ brokers: inject('brokers'), clientId: 'test', tls: null, sasl: null }, fakeLog())
}

const names = new Map<TransactionalProducer, string>()

async function producer(name: string, topic: string): Promise<TransactionalProducer> {
  const cluster = client().createCluster()
  onTestFinished(async () => cluster.disconnect())
  await cluster.connect()
  await cluster.addMultipleTargetTopics([topic])
  const made = await claimProducer({
    cluster,
    transactionalId: uniqueName(name),
    packing: PACKING,
    clock: systemClock,
  })
  await made.addPartitions([{ topic, partition: 0 }])
  names.set(made, name)
  return made
}

function write(one: TransactionalProducer, topic: string): Promise<void> {
  const value = Buffer.from(names.get(one) ?? '')
  return one.produce([{ topic, partition: 0, key: null, value, headers: [] }])
}
