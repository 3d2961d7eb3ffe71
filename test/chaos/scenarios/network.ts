/** The way to the brokers and to the registry cut, black-holed and stalled. */
import type { Cluster } from '../../../dev/stack/cluster.ts'
import type { Scenario } from '../scenario.ts'
import { RESUMED_S, SESSION_S, TAKEN_OVER_S } from './replicas.ts'

export const NETWORK_SCENARIOS: readonly Scenario[] = [
  {
    name: 'brokers-cut',
    fault: 'every connection between the replicas and the brokers reset, none accepted for 5 s',
    proxied: 'all',
    play: async ({ cluster, last, mark }) => {
      await Promise.all(cluster.nodes.map(async ({ proxy }) => proxy.cut()))
      await last(5)
      await heal(cluster)
      mark('the way is free', RESUMED_S)
    },
  },
  {
    name: 'replica-blackholed',
    fault: 'nothing passes between a replica and the brokers for 15 s, beyond the session time-out',
    essential: true,
    proxied: 'first',
    play: async ({ cluster, last, mark }) => {
      for (const { proxy } of cluster.nodes) proxy.blackhole()
      mark('the others take over', TAKEN_OVER_S)
      await last(15)
      await heal(cluster)
      mark('the way is free', RESUMED_S)
      await last(5)
    },
  },
  {
    name: 'replica-stalled',
    fault: 'what a replica and the brokers say to each other arrives 15 s late',
    proxied: 'first',
    play: async ({ cluster, last, mark }) => {
      for (const { proxy } of cluster.nodes) proxy.stall()
      mark('the others take over', TAKEN_OVER_S)
      await last(15)
      await heal(cluster)
      mark('all of it arrives', RESUMED_S)
      await last(5)
    },
  },
  {
    name: 'broker-blackholed',
    fault: 'nothing passes between any replica and one broker for 10 s',
    proxied: 'all',
    play: async ({ cluster, last, mark, random }) => {
      cluster.nodes[Math.floor(random() * cluster.nodes.length)]?.proxy.blackhole()
      await last(10)
      await heal(cluster)
      // The broker may have been the one that counts the members, and all of them given up.
      mark('the way is free', SESSION_S)
      await last(5)
    },
  },
  {
    name: 'registry-down',
    fault: 'the registry unreachable for 10 s while a replica is replaced',
    proxied: 'all',
    play: async ({ cluster: { registryProxy }, stage, replicas: [old], last, mark }) => {
      await registryProxy.cut()
      const replacement = await stage.startReplica({ proxied: true })
      await old?.end()
      mark('the others take over', RESUMED_S)
      await last(10)
      await registryProxy.heal()
      await replacement.ready()
      mark('the new one joins', RESUMED_S)
    },
  },
]

async function heal({ nodes }: Cluster): Promise<void> {
  await Promise.all(nodes.map(async ({ proxy }) => proxy.heal()))
}
