/** Describes a scenario and plays it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from '../../dev/stack/cluster.ts'
import { Stage, type ReplicaOptions } from './stage.ts'

/** Work must have resumed within `boundS` of this moment on every input partition. */
export interface Mark {
  readonly what: string
  readonly atMs: number
  readonly boundS: number
}

export interface Scene {
  readonly stage: Stage
  readonly cluster: Cluster
  /** Three replicas, ready and processing. */
  readonly replicas: readonly Replica[]
  /** Waits while the fault lasts. */
  readonly last: (seconds: number) => Promise<void>
  /** Starts a recovery: work must resume within `boundS` seconds from now. */
  readonly mark: (what: string, boundS: number) => void
  readonly random: () => number
}

type Replica = Awaited<ReturnType<Stage['startReplica']>>

export interface Scenario {
  /** For `--only`. */
  readonly name: string
  readonly fault: string
  /** Part of `--short`. */
  readonly essential?: true
  /** Replicas whose connections go through the proxies. */
  readonly proxied?: 'first' | 'all'
  /** Kinds of events that replace the default mix. */
  readonly kinds?: readonly string[]
  readonly replica?: Pick<ReplicaOptions, 'nodeArgs'>
  readonly play: (scene: Scene) => Promise<void>
}

export interface Figures {
  readonly name: string
  readonly fault: string
  readonly events: number
  readonly lost: number
  readonly repeated: number
  readonly strange: number
  readonly early: readonly string[]
  readonly recoveries: readonly Recovery[]
  /** Last log lines of replicas that ended unexpectedly. */
  readonly deaths: readonly string[]
}

export interface Recovery {
  readonly what: string
  readonly seconds: number
  readonly boundS: number
}

export interface Circumstances {
  readonly cluster: Cluster
  readonly events: number
  readonly random: () => number
  readonly slack: number
  readonly logsDir: string | null
}

const REPLICAS = 3
/** Minimum duration of the events of a scenario. */
const EVENTS_LAST_S = 30
/** Events continue for this long after the fault, so that outputs show whether work resumed. */
const AFTERMATH_S = 2

/** Of 100 events, 10 are deferred, some are rejected and some are invalid. */
const USUAL_KINDS: readonly string[] = Array.from({ length: 50 }, (_, at) => {
  if (at % 10 === 0) return 'notyet'
  return { 1: 'failpassport', 2: 'invalidid', 3: 'poison' }[at] ?? 'passhkid2018'
})

export async function playScenario(scenario: Scenario, where: Circumstances): Promise<Figures> {
  const { cluster, events, random, slack, logsDir } = where
  const perSecond = Math.ceil(events / EVENTS_LAST_S)
  const stage = await Stage.set({ cluster, perSecond, logsDir, kinds: scenario.kinds ?? USUAL_KINDS })
  const marks: Mark[] = []
  try {
    const replicas = await startReplicas(stage, scenario)
    await stage.startEvents()
    await scenario.play({
      stage,
      cluster,
      replicas,
      random,
      last: async (seconds) => delay(seconds * 1_000),
      mark: (what, boundS) => void marks.push({ what, boundS: boundS * slack, atMs: Date.now() }),
    })
    await delay(AFTERMATH_S * 1_000)
    await stage.untilOut(Math.max(events, stage.sent))
    const tally = await stage.tally()
    const recoveries = marks.map(({ what, atMs, boundS }) => ({
      what,
      boundS,
      seconds: (stage.ledger.resumedAfter(atMs) ?? Infinity) / 1_000,
    }))
    return { name: scenario.name, fault: scenario.fault, ...tally, recoveries, deaths: stage.deaths }
  } finally {
    await restore(cluster)
    await stage.clear()
  }
}

/** Restores the cluster, so that a failed scenario does not affect the next one. */
async function restore({ nodes, registryProxy }: Cluster): Promise<void> {
  await Promise.all([registryProxy, ...nodes.map(({ proxy }) => proxy)].map(async (proxy) => proxy.heal()))
  const down = nodes.filter(({ server }) => server.pid === undefined)
  await Promise.all(down.map(async ({ server }) => server.start()))
}

async function startReplicas(stage: Stage, { proxied, replica = {} }: Scenario): Promise<Replica[]> {
  const started = await Promise.all(
    Array.from({ length: REPLICAS }, async (_, at) =>
      stage.startReplica({ ...replica, proxied: proxied === 'all' || (proxied === 'first' && at === 0) }),
    ),
  )
  await Promise.all(started.map(async (one) => one.ready()))
  return started
}

/** Whether every event came out exactly once, no retry was early and work always resumed in time. */
export function holds({ lost, repeated, strange, early, recoveries, deaths }: Figures): boolean {
  const exact = lost === 0 && repeated === 0 && strange === 0 && early.length === 0 && deaths.length === 0
  return exact && recoveries.every(({ seconds, boundS }) => seconds <= boundS)
}
