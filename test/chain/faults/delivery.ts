/** Failures of Kafka, the registry and Redis. */
import type { Admin, Kafka, Transaction } from 'kafkajs'
import type { Fault } from '../fault.ts'
import { PARTITIONS, type Rig } from '../rig.ts'
import { sendUnknownSchema } from '../unknown-schema.ts'

/** Old enough to trigger the alert on a partition without progress. */
const LATE_MS = 200_000

export const DELIVERY_FAULTS: readonly Fault[] = [
  {
    name: 'the registry is down while a replica starts and events with a new schema arrive',
    stages: [
      {
        do: async (rig) => {
          const { registryProxy, replicas } = rig
          await replicas[1]?.end()
          await registryProxy.cut()
          await sendUnknownSchema(rig, LATE_MS)
          await replicas[1]?.launch()
        },
        fires: [
          'CheckResultRegistryWaiting',
          'CheckResultRegistryErrors',
          'CheckResultStalled',
          'CheckResultPartitionStuck',
          'CheckResultLagGrowing',
          'CheckResultReplicaOutOfGroup',
        ],
      },
    ],
    heal: async ({ registryProxy, replicas }) => {
      await registryProxy.heal()
      await replicas[1]?.ready()
    },
  },
  {
    name: 'the result topic is deleted and then Kafka is down, with at-least-once delivery',
    stages: [
      {
        do: async (rig) => {
          const settings = { KAFKA_DELIVERY: 'at-least-once' }
          await Promise.all(rig.replicas.map(async (slot) => slot.restart(settings)))
          await withAdmin(rig, (admin) => admin.deleteTopics({ topics: [rig.environment.topics.result] }))
        },
        fires: ['CheckResultPublishFailures', 'CheckResultPartitionBlocked'],
      },
      { do: async ({ stack }) => stack.kafka.stop('SIGKILL'), fires: ['CheckResultNoConsumers'] },
    ],
    heal: async (rig) => {
      if (rig.stack.kafka.pid === undefined) await rig.stack.kafka.start()
      const topic = { topic: rig.environment.topics.result, numPartitions: PARTITIONS }
      await withAdmin(rig, (admin) => admin.createTopics({ topics: [topic] }))
    },
  },
  {
    name: 'a producer leaves a transaction open',
    stages: [
      {
        do: async ({ kafka, environment }) => {
          await withTransaction(kafka, async (open) => {
            await open.send({
              topic: environment.topics.input,
              messages: [{ value: 'not an event', partition: 0 }],
            })
          })
        },
        fires: ['CheckResultOpenTransaction'],
      },
    ],
    // Starting another transaction aborts the open one.
    heal: async ({ kafka }) => withTransaction(kafka, async (next) => next.abort()),
  },
  {
    name: 'the Redis with the quota is down',
    stages: [
      {
        do: async ({ redis, replicas }) => {
          const settings = { CHECKRESULT_QUOTA: 'redis', REDIS_URL: redis.url }
          await Promise.all(replicas.map(async (slot) => slot.restart(settings)))
          await redis.server.stop('SIGKILL')
        },
        fires: ['CheckResultQuotaUnavailable'],
      },
    ],
    heal: async ({ redis, replicas }) => {
      await redis.server.start()
      await Promise.all(replicas.map(async (slot) => slot.restart()))
    },
  },
]

async function withAdmin({ kafka }: Rig, use: (admin: Admin) => Promise<unknown>): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await use(admin)
  await admin.disconnect()
}

/** Begins a transaction, always with the same producer. Only `use` may end it. */
async function withTransaction(
  kafka: Kafka,
  use: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const producer = kafka.producer({ transactionalId: 'chain-left-open', transactionTimeout: 60_000 })
  await producer.connect()
  await use(await producer.transaction())
  await producer.disconnect()
}
