/** Kafka and the registry away. */
import type { Fault } from '../fault.ts'
import { sendUnknownSchema } from '../unknown-schema.ts'

/** Old enough for a partition that does not move to be noticed. */
const LATE_MS = 200_000

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
    name: 'Kafka is away from replicas that deliver at least once',
    stages: [
      {
        do: async ({ stack, replicas }) => {
          const settings = { KAFKA_DELIVERY: 'at-least-once' }
          await Promise.all(replicas.map(async (slot) => slot.restart(settings)))
          await stack.kafka.stop('SIGKILL')
        },
        fires: ['CheckResultNoConsumers', 'CheckResultPublishFailures', 'CheckResultOffsetCommitFailures'],
      },
    ],
    heal: async ({ stack }) => stack.kafka.start(),
  },
]
