/** Scenarios that kill, stop, freeze or replace replicas. */
import type { Scenario } from '../scenario.ts'

export const RESUMED_S = 5
/** Session timeout of the replicas. */
export const SESSION_S = 6
/** Time of the rebalance that follows the session timeout. */
export const TAKEN_OVER_S = SESSION_S + 5

export const REPLICA_SCENARIOS: readonly Scenario[] = [
  {
    name: 'replica-killed',
    fault: 'a replica killed (SIGKILL), then replaced',
    essential: true,
    play: async ({ stage, replicas: [victim], last, mark }) => {
      await victim?.kill()
      mark('others took over', TAKEN_OVER_S)
      await last(10)
      await stage.startReplicas(1)
      mark('a new replica joined', RESUMED_S)
    },
  },
  {
    name: 'replica-stopped',
    fault: 'a replica stopped (SIGTERM)',
    play: async ({ replicas: [victim], last, mark }) => {
      await victim?.end()
      mark('others took over', RESUMED_S)
      await last(3)
    },
  },
  {
    name: 'replica-frozen',
    fault: 'a replica frozen for 15 s (SIGSTOP, SIGCONT)',
    essential: true,
    play: async ({ replicas: [victim], last, mark }) => {
      victim?.signal('SIGSTOP')
      mark('others took over', TAKEN_OVER_S)
      await last(15)
      victim?.signal('SIGCONT')
      mark('it resumed', RESUMED_S)
      await last(3)
    },
  },
  {
    name: 'rolling-restart',
    fault: 'all replicas replaced one after the other',
    essential: true,
    play: async ({ stage, replicas, mark }) => {
      for (const old of replicas) {
        await stage.startReplicas(1)
        await old.end()
        mark('each was replaced', RESUMED_S)
      }
    },
  },
]
