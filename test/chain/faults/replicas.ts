/** Replicas that are killed, starved or misconfigured, and a group that keeps rebalancing. */
import { disturbGroup, type Disturbance } from '../disturb-group.ts'
import type { Fault } from '../fault.ts'

export const REPLICA_FAULTS: readonly Fault[] = [
  unrest(),
  {
    name: "a replica's event loop is blocked",
    stages: [
      { do: ({ replicas }) => replicas[0]?.signal('SIGWINCH'), fires: ['CheckResultEventLoopBlocked'] },
    ],
    heal: ({ replicas }) => replicas[0]?.signal('SIGWINCH'),
  },
  quota('there are more replicas than permitted calls a second', {
    perSecond: 1,
    fires: 'CheckResultStandby',
  }),
  quota('events arrive faster than the quota allows', {
    perSecond: 10,
    fires: 'CheckResultQuotaSaturated',
  }),
  {
    name: 'all replicas are down',
    stages: [
      {
        do: async ({ replicas }) => void (await Promise.all(replicas.map(async (slot) => slot.end()))),
        fires: ['CheckResultDown'],
      },
    ],
    heal: async ({ replicas }) => void (await Promise.all(replicas.map(async (slot) => slot.start()))),
  },
]

function quota(name: string, { perSecond, fires }: { perSecond: number; fires: string }): Fault {
  return {
    name,
    stages: [
      {
        do: async ({ replicas }) => {
          const settings = { CHECKRESULT_QPS: String(perSecond) }
          await Promise.all(replicas.map(async (slot) => slot.restart(settings)))
        },
        fires: [fires],
      },
    ],
    heal: async ({ replicas }) => void (await Promise.all(replicas.map(async (slot) => slot.restart()))),
  }
}

/** Leaves one replica, because the alert tolerates a few rebalances per running replica. */
function unrest(): Fault {
  let disturbance: Disturbance | null = null
  return {
    name: 'a replica is killed and members constantly join and leave the group',
    stages: [
      { do: async ({ replicas }) => replicas[1]?.kill(), fires: ['CheckResultTargetDown'] },
      {
        do: (rig) => {
          disturbance = disturbGroup(rig)
        },
        fires: ['CheckResultRebalanceStorm'],
      },
    ],
    heal: async ({ replicas }) => {
      await disturbance?.stop()
      await replicas[1]?.start()
    },
  }
}
