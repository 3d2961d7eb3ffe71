/** Scenarios that cut, black-hole or delay the connections to the brokers and the registry. */
import type { Cluster } from '../../../dev/stack/cluster.ts'
import type { Scenario } from '../scenario.ts'
import { RESUMED_S, SESSION_S, TAKEN_OVER_S } from './replicas.ts'

export const NETWORK_SCENARIOS: readonly Scenario[] = [
  {
    name: 'brokers-cut',
    fault: 'every connection to the brokers cut',
    proxied: 'all',
    play: async ({ cluster, last, mark }) => {
      await Promise.all(cluster.nodes.map(async ({ proxy }) => proxy.cut()))
      await last(5)
      await heal(cluster)
      mark('connections were accepted', RESUMED_S)
    },
  },
  {
    name: 'replica-blackholed',
    fault: 'no packets between one replica and the brokers',
    essential: true,
    proxied: 'first',
    play: async ({ cluster, last, mark }) => {
      for (const { proxy } of cluster.nodes) proxy.blackhole()
      mark('others took over', TAKEN_OVER_S)
      await last(15)
      await heal(cluster)
      mark('packets passed', RESUMED_S)
      await last(5)
    },
  },
  {
    name: 'replica-stalled',
    fault: 'all traffic between one replica and the brokers delayed',
    proxied: 'first',
    play: async ({ cluster, last, mark }) => {
      for (const { proxy } of cluster.nodes) proxy.stall()
      mark('others took over', TAKEN_OVER_S)
      await last(15)
      await heal(cluster)
      mark('the traffic arrived', RESUMED_S)
      await last(5)
    },
  },
  {
    name: 'broker-blackholed',
    fault: 'no packets between the replicas and one broker',
    proxied: 'all',
    play: async ({ cluster, last, mark, random }) => {
      cluster.nodes[Math.floor(random() * cluster.nodes.length)]?.proxy.blackhole()
      await last(10)
      await heal(cluster)
      // The broker may be the group coordinator, which then removes all members.
      mark('packets passed', SESSION_S)
      await last(5)
    },
  },
  {
    name: 'registry-down',
    fault: 'the registry down while a replica starts',
    proxied: 'all',
    play: async ({ cluster: { registryProxy }, stage, replicas: [old], last, mark }) => {
      await registryProxy.cut()
      const replacement = await stage.startReplica({ proxied: true })
      await old?.end()
      mark('others took over', RESUMED_S)
      await last(10)
      await registryProxy.heal()
      await replacement.ready()
      mark('a new replica joined', RESUMED_S)
    },
  },
]

async function heal({ nodes }: Cluster): Promise<void> {
  await Promise.all(nodes.map(async ({ proxy }) => proxy.heal()))
}
