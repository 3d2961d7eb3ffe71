/** Kafka, the registry and Redis away. */
import kafkajs from 'kafkajs'
import type { Fault } from '../fault.ts'
import type { Rig } from '../rig.ts'
import { sendUnknownSchema } from '../unknown-schema.ts'

/** Old enough for a partition that does not move to be noticed. */
const LATE_MS = 200_000

const { ConfigResourceTypes } = kafkajs

export const DELIVERY_FAULTS: readonly Fault[] = [
  {
    name: 'the registry is away while a replica starts, and events of a new schema come',
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
    name: 'the result topic lacks replicas, and then Kafka is away, where delivery is at least once',
    stages: [
      {
        do: async (rig) => {
          const settings = { KAFKA_DELIVERY: 'at-least-once' }
          await Promise.all(rig.replicas.map(async (slot) => slot.restart(settings)))
          await configureResults(rig, [{ name: 'min.insync.replicas', value: '2' }])
        },
        fires: ['CheckResultPublishFailures', 'CheckResultPartitionBlocked'],
      },
      { do: async ({ stack }) => stack.kafka.stop('SIGKILL'), fires: ['CheckResultNoConsumers'] },
    ],
    heal: async (rig) => {
      if (rig.stack.kafka.pid === undefined) await rig.stack.kafka.start()
      await configureResults(rig, [])
    },
  },
  {
    name: 'the Redis that counts the quota is away',
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

/** What is not named here is as the broker has it: so it was before, for nothing is set on this topic. */
async function configureResults(
  { kafka, environment }: Rig,
  configEntries: { name: string; value: string }[],
): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: environment.topics.result, configEntries }],
  })
  await admin.disconnect()
}
