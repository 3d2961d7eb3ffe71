/** Replicas killed, starved and set up wrongly, and a group that does not come to rest. */
import { disturbGroup, type Disturbance } from '../disturb-group.ts'
import type { Fault } from '../fault.ts'

export const REPLICA_FAULTS: readonly Fault[] = [
  unrest(),
  {
    name: 'a replica gets no time to compute',
    stages: [
      { do: ({ replicas }) => replicas[0]?.signal('SIGWINCH'), fires: ['CheckResultEventLoopBlocked'] },
    ],
    heal: ({ replicas }) => replicas[0]?.signal('SIGWINCH'),
  },
  quota('there are more replicas than calls a second', { perSecond: 1, fires: 'CheckResultStandby' }),
  quota('more events come than the quota lets through', {
    perSecond: 10,
    fires: 'CheckResultQuotaSaturated',
  }),
  {
    name: 'all replicas are gone',
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

/** One replica is left, for each that is there may join a few times in peace. */
function unrest(): Fault {
  let disturbance: Disturbance | null = null
  return {
    name: 'a replica is killed, and members join the group and leave it all the time',
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
