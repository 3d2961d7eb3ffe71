/** Replicas killed, stopped, frozen and replaced. */
import type { Scenario } from '../scenario.ts'

export const RESUMED_S = 5
/** The session time-out of the replicas. */
export const SESSION_S = 6
/** And what the group needs then to decide anew. */
export const TAKEN_OVER_S = SESSION_S + 5

export const REPLICA_SCENARIOS: readonly Scenario[] = [
  {
    name: 'replica-killed',
    fault: 'a replica killed (SIGKILL), later replaced',
    essential: true,
    play: async ({ stage, replicas: [victim], last, mark }) => {
      await victim?.kill()
      mark('the others take over', TAKEN_OVER_S)
      await last(10)
      await stage.startReplicas(1)
      mark('the new one joins', RESUMED_S)
    },
  },
  {
    name: 'replica-stopped',
    fault: 'a replica stopped (SIGTERM)',
    play: async ({ replicas: [victim], last, mark }) => {
      await victim?.end()
      mark('the others take over', RESUMED_S)
      await last(3)
    },
  },
  {
    name: 'replica-frozen',
    fault: 'a replica frozen for 15 s, which is beyond the session time-out (SIGSTOP, SIGCONT)',
    essential: true,
    play: async ({ replicas: [victim], last, mark }) => {
      victim?.signal('SIGSTOP')
      mark('the others take over', TAKEN_OVER_S)
      await last(15)
      victim?.signal('SIGCONT')
      mark('it wakes up', RESUMED_S)
      await last(3)
    },
  },
  {
    name: 'rolling-restart',
    fault: 'all replicas replaced, one after the other',
    essential: true,
    play: async ({ stage, replicas, mark }) => {
      for (const old of replicas) {
        await stage.startReplicas(1)
        await old.end()
        mark('one replaced', RESUMED_S)
      }
    },
  },
]
