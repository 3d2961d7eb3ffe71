/** Plays a case. */
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startNode } from '../../dev/harness/commands.ts'
import type { StackAddresses } from '../../dev/harness/environment.ts'
import type { Server } from '../../dev/stack/server.ts'
import type { Replica } from '../support/fleet.ts'
import type { Span } from './arrivals.ts'
import { QuotaBed } from './bed.ts'
import type { Case } from './cases.ts'
import { backlogOf, PARTITIONS } from './loads.ts'
import { figuresOf, guardOf, type Figures } from './promises.ts'
import type { Stretch } from './standing.ts'

export interface Circumstances {
  readonly stack: StackAddresses & { readonly dataDir: string }
  readonly redis: { readonly url: string; readonly server: Server } | null
  readonly random: () => number
  readonly slack: number
  readonly logsDir: string | null
}

/** Longer than one window plus the window in which an increased share is not used yet. */
const WARM_UP_S = 3
const MEASURED_S = 10
/** Calm time before a disturbance. Short, because the disturbance is what is measured. */
const MEASURED_AFTERWARDS_S = 5
/** Replicas that are ready first work while the others start. */
const STARTED_WITHIN_S = 20

const OUTSIDE_CALLER = fileURLToPath(new URL('programs/outside-caller.ts', import.meta.url))

export async function playCase(played: Case, where: Circumstances): Promise<Figures> {
  const { stack, redis, slack, logsDir } = where
  const bed = await QuotaBed.set({
    played,
    stack,
    redisUrl: played.mode === 'redis' ? (redis?.url ?? null) : null,
    guardMs: guardOf(played, slack),
    logsDir,
  })
  try {
    const busy = await createBacklog(bed, played, slack)
    const replicas = await Promise.all(
      Array.from({ length: played.replicas }, async () => bed.startReplica()),
    )
    await bed.untilSteady()
    // Start the load only now. Events that arrived while the replicas started would wait, and delay all later ones.
    if (played.load === 'light') bed.startPace(played.permits / 2)
    await delay(WARM_UP_S * 1_000)
    const fromNs = bed.nowNs()
    await disturb(bed, { played, replicas, where })
    const { span: calm, stretches } = await measure(bed, played, busy)
    const left = await bed.left()
    const observed = {
      calm,
      stretches,
      troubled: played.disturbance === undefined ? null : { fromNs, toNs: calm.fromNs },
      ranDry: played.load === 'light' ? [] : busy.filter((partition) => (left.get(partition) ?? 0) === 0),
      deaths: bed.deaths,
    }
    return figuresOf(played, { ...observed, calls: await bed.calls() }, slack)
  } finally {
    await bed.clear()
  }
}

/** The partitions that have work. */
async function createBacklog(
  bed: QuotaBed,
  { load, permits, disturbance }: Case,
  slack: number,
): Promise<number[]> {
  if (load === 'light') return Array.from({ length: PARTITIONS }, (_, partition) => partition)
  const { lastsS = 0, calmAfterS = 0 } = disturbance ?? {}
  const seconds = STARTED_WITHIN_S * slack + WARM_UP_S + lastsS + calmAfterS + MEASURED_S
  const backlog = backlogOf(load, permits, seconds)
  await bed.fill(backlog)
  return [...backlog.keys()]
}

interface DisturbOptions {
  readonly played: Case
  readonly replicas: readonly Replica[]
  readonly where: Circumstances
}

async function disturb(bed: QuotaBed, { played, replicas, where }: DisturbOptions): Promise<void> {
  const { disturbance } = played
  if (disturbance === undefined) return
  await disturbance.play({
    replicas,
    random: where.random,
    startReplica: () => bed.startReplica(),
    redis: () => {
      if (where.redis === null) throw new Error('Redis is not running.')
      return where.redis.server
    },
    startOutsideCaller: (perSecond) => startNode([OUTSIDE_CALLER, bed.endpoint, String(perSecond)], {}),
    last: async (seconds) => delay(seconds * 1_000),
  })
  await bed.untilSteady()
  await delay(disturbance.calmAfterS * 1_000)
}

interface Measured {
  readonly span: Span
  readonly stretches: readonly Stretch[]
}

async function measure(bed: QuotaBed, { disturbance }: Case, busy: readonly number[]): Promise<Measured> {
  const before = await bed.standings(busy)
  const fromNs = bed.nowNs()
  await delay((disturbance === undefined ? MEASURED_S : MEASURED_AFTERWARDS_S) * 1_000)
  const toNs = bed.nowNs()
  const after = await bed.standings(busy)
  const stretches = [...after].flatMap(([replica, to]) => {
    const from = before.get(replica)
    return from === undefined ? [] : [{ from, to }]
  })
  return { span: { fromNs, toNs }, stretches }
}
