/** Disturbances of the replicas, Redis or the account while a backlog waits. */
import type { Running } from '../../dev/harness/commands.ts'
import type { Server } from '../../dev/stack/server.ts'
import type { QuotaMode } from '../../src/core/quota/quota-mode.ts'
import type { Replica } from '../support/fleet.ts'

export interface Scene {
  /** Ready and processing. */
  readonly replicas: readonly Replica[]
  readonly random: () => number
  /** Resolves when it is ready. */
  readonly startReplica: () => Promise<Replica>
  /** The Redis server, in Redis mode. */
  readonly redis: () => Server
  /** Starts another program that makes this many calls per second with the same account. */
  readonly startOutsideCaller: (perSecond: number) => Running
  /** Waits while the disturbance lasts. */
  readonly last: (seconds: number) => Promise<void>
}

export interface Disturbance {
  /** For `--only`. */
  readonly name: string
  readonly about: string
  /** Number of replicas at the start, if not the default. */
  readonly replicas?: number
  /** The mode, if the disturbance is possible in only one. */
  readonly only?: QuotaMode
  /** The modes in which it is part of `--short`. */
  readonly essentialIn?: readonly QuotaMode[]
  /** Maximum duration, from which the size of the backlog follows. */
  readonly lastsS: number
  /** Time until the rate is steady again. */
  readonly calmAfterS: number
  readonly play: (scene: Scene) => Promise<void>
}

export const SESSION_TIMEOUT_MS = 6_000
const BEYOND_SESSION_S = SESSION_TIMEOUT_MS / 1_000 + 3
/** A rebalance, and the window in which an increased share is not used yet. */
const REBALANCED_S = 3
/** After throttling, the rate recovers gradually. */
const RECOVERED_S = 32

export const OUTSIDE_PER_SECOND = 20
const OUTSIDE_LASTS_S = 8

export const DISTURBANCES: readonly Disturbance[] = [
  {
    name: 'scaled',
    about: 'scaled from two replicas to four and back to two (SIGTERM)',
    replicas: 2,
    lastsS: 25,
    calmAfterS: REBALANCED_S,
    play: async ({ replicas, startReplica, last }) => {
      await Promise.all([startReplica(), startReplica()])
      await last(4)
      // Stop the original replicas, so that the shares of the remaining ones grow.
      for (const replica of replicas) await replica.end()
      await last(3)
    },
  },
  {
    name: 'rolling-restart',
    about: 'all replicas replaced one after the other',
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
    about: 'a replica killed (SIGKILL), then replaced',
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
    about: 'a replica frozen longer than the session timeout (SIGSTOP, SIGCONT)',
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
    about: 'Redis stopped for 2 s and restarted empty',
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
    about: 'another program makes 20 calls a second with the account for 8 s',
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
