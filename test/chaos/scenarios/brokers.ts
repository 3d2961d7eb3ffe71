/** Scenarios that kill or restart brokers and controllers. */
import { createKafkaClient } from '../../../src/adapters/kafka/client.ts'
import { findCoordinatorId } from '../../../src/adapters/kafka/group/coordinator.ts'
import { COORDINATOR } from '../../../src/adapters/kafka/kafkajs/internals.ts'
import type { Cluster, ClusterNode } from '../../../dev/stack/cluster.ts'
import type { Scenario, Scene } from '../scenario.ts'
import { RESUMED_S, TAKEN_OVER_S } from './replicas.ts'

/**
 * Session timeout of the brokers in this cluster and of the replicas. A replica that cannot reach its coordinator
 * within this time is removed by the next coordinator and has to rejoin.
 */
const OTHERS_LEAD_S = 4 + 6
const DOWN_S = 12

export const BROKER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'broker-killed',
    fault: 'a broker killed and restarted',
    essential: true,
    play: async (scene) => killAndRestart(scene, await notTheController(scene)),
  },
  {
    name: 'coordinator-killed',
    fault: 'the group coordinator killed and restarted',
    play: async (scene) => killAndRestart(scene, await groupCoordinator(scene)),
  },
  {
    name: 'controller-killed',
    fault: 'the active controller killed and restarted',
    play: async (scene) => killAndRestart(scene, await scene.cluster.controller()),
  },
  {
    name: 'brokers-bounced',
    fault: 'all brokers restarted one after the other',
    play: async ({ cluster, mark, last }) => {
      for (const { server } of cluster.nodes) {
        await server.stop()
        await server.start()
        mark('each was back', RESUMED_S)
        await last(RESUMED_S)
      }
    },
  },
  {
    name: 'brokers-down',
    fault: 'all brokers killed at once and restarted',
    play: async ({ cluster: { nodes }, mark }) => {
      await Promise.all(nodes.map(async ({ server }) => server.stop('SIGKILL')))
      await Promise.all(nodes.map(async ({ server }) => server.start()))
      // The outage exceeds the session timeout of the replicas, so each of them has to rejoin.
      mark('they were back', TAKEN_OVER_S)
    },
  },
]

async function killAndRestart({ last, mark }: Scene, { server }: ClusterNode): Promise<void> {
  await server.stop('SIGKILL')
  mark('others led its partitions', OTHERS_LEAD_S)
  await last(DOWN_S)
  await server.start()
  mark('it was back', RESUMED_S)
}

async function notTheController({ cluster, random }: Scene): Promise<ClusterNode> {
  const controller = await cluster.controller()
  const others = cluster.nodes.filter(({ id }) => id !== controller.id)
  return nodeOf(cluster, others[Math.floor(random() * others.length)]?.id)
}

async function groupCoordinator({ cluster, stage }: Scene): Promise<ClusterNode> {
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const client = createKafkaClient(
    { brokers: cluster.brokers, clientId: 'chaos', tls: null, sasl: null },
    log,
  )
  const asking = client.createCluster()
  await asking.connect()
  await asking.addMultipleTargetTopics([stage.environment.topics.input])
  const nodeId = await findCoordinatorId(asking, {
    groupId: stage.environment.groupId,
    coordinatorType: COORDINATOR.group,
  })
  await asking.disconnect()
  return nodeOf(cluster, nodeId)
}

function nodeOf({ nodes }: Cluster, id: number | undefined): ClusterNode {
  const node = nodes.find((one) => one.id === id)
  if (node === undefined) throw new Error(`Node ${id} does not exist.`)
  return node
}
