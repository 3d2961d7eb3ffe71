/** What may happen to the replicas, to Redis and to the account while work waits. */
import type { Running } from '../../dev/harness/commands.ts'
import type { Server } from '../../dev/stack/server.ts'
import type { QuotaMode } from '../../src/core/quota-mode.ts'
import type { Replica } from '../support/fleet.ts'

export interface Scene {
  /** Ready, at work. */
  readonly replicas: readonly Replica[]
  readonly random: () => number
  /** Resolves when it is ready. */
  readonly startReplica: () => Promise<Replica>
  /** The server behind the quota, in Redis mode. */
  readonly redis: () => Server
  /** Somebody else who uses so many of the account's calls a second. */
  readonly startOutsideCaller: (perSecond: number) => Running
  /** Leaves everything as it is for so long. */
  readonly last: (seconds: number) => Promise<void>
}

export interface Disturbance {
  /** For `--only`. */
  readonly name: string
  readonly about: string
  /** At the start, where it is not the usual number. */
  readonly replicas?: number
  /** Where it can only happen in one mode. */
  readonly only?: QuotaMode
  /** Part of the short form in these modes. */
  readonly essentialIn?: readonly QuotaMode[]
  /** At most, so that work is left at its end. */
  readonly lastsS: number
  /** Until all is as calm as before. */
  readonly calmAfterS: number
  readonly play: (scene: Scene) => Promise<void>
}

export const SESSION_TIMEOUT_MS = 6_000
const BEYOND_SESSION_S = SESSION_TIMEOUT_MS / 1_000 + 3
/** A rebalance, and the window in which a share that grew does not count yet. */
const REBALANCED_S = 3
/** After throttling the rate comes back bit by bit. */
const RECOVERED_S = 32

export const OUTSIDE_PER_SECOND = 20
const OUTSIDE_LASTS_S = 8

export const DISTURBANCES: readonly Disturbance[] = [
  {
    name: 'scaled',
    about: 'from two replicas to four, then back to two (SIGTERM)',
    replicas: 2,
    lastsS: 25,
    calmAfterS: REBALANCED_S,
    play: async ({ replicas, startReplica, last }) => {
      await Promise.all([startReplica(), startReplica()])
      await last(4)
      // The old ones: who stays has a share that grows.
      for (const replica of replicas) await replica.end()
      await last(3)
    },
  },
  {
    name: 'rolling-restart',
    about: 'each replica replaced, one after the other',
    essentialIn: ['partition'],
    lastsS: 30,
    calmAfterS: REBALANCED_S,
    play: async ({ replicas, startReplica, last }) => {
      for (const old of replicas) {
        await startReplica()
        await old.end()
        await last(1)
      }
    },
  },
  {
    name: 'killed',
    about: 'a replica killed (SIGKILL), later replaced',
    essentialIn: ['partition'],
    lastsS: 25,
    calmAfterS: REBALANCED_S,
    play: async ({ replicas, random, startReplica, last }) => {
      await oneOf(replicas, random)?.kill()
      await last(BEYOND_SESSION_S)
      await startReplica()
    },
  },
  {
    name: 'frozen',
    about: 'a replica frozen beyond the session time-out (SIGSTOP, SIGCONT)',
    essentialIn: ['redis'],
    lastsS: 20,
    calmAfterS: REBALANCED_S,
    play: async ({ replicas, random, last }) => {
      const victim = oneOf(replicas, random)
      victim?.signal('SIGSTOP')
      await last(BEYOND_SESSION_S)
      victim?.signal('SIGCONT')
      await last(2)
    },
  },
  {
    name: 'redis-restarted',
    about: 'Redis stopped for 2 s and started with nothing in it',
    only: 'redis',
    essentialIn: ['redis'],
    lastsS: 15,
    calmAfterS: 8,
    play: async ({ redis, last }) => {
      await redis().stop()
      await last(2)
      await redis().start()
    },
  },
  {
    name: 'outside-caller',
    about: 'an outside caller takes 20 a second of the account for 8 s',
    lastsS: 45,
    calmAfterS: RECOVERED_S,
    play: async ({ startOutsideCaller, last }) => {
      const caller = startOutsideCaller(OUTSIDE_PER_SECOND)
      await last(OUTSIDE_LASTS_S)
      await caller.stop()
    },
  },
]

function oneOf(replicas: readonly Replica[], random: () => number): Replica | undefined {
  return replicas[Math.floor(random() * replicas.length)]
}
