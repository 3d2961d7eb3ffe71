/** CheckResult misbehaving, events that are none, and the clock that signs the calls. */
import { fileURLToPath } from 'node:url'
import type { Faults } from '../../../src/simulator/simulator.ts'
import type { Scenario, Scene } from '../scenario.ts'
import { RESUMED_S } from './replicas.ts'

/** An open circuit breaker lets its first probe through after 5 s, the next after 10 s more. */
const FIRST_PROBE_S = 5
const SECOND_PROBE_S = 10

const CLOCK = fileURLToPath(new URL('../clock.ts', import.meta.url))

function api(name: string, fault: string, faults: Faults, boundS: number): Scenario {
  return {
    name: `api-${name}`,
    fault: `CheckResult ${fault}`,
    play: async (scene) => beset(scene, faults, boundS),
  }
}

async function beset({ stage, last, mark }: Scene, faults: Faults, boundS: number): Promise<void> {
  stage.simulator.setFaults(faults)
  await last(8)
  stage.simulator.setFaults({})
  mark('it answers again', boundS)
}

const CIRCUIT_CLOSES_S = RESUMED_S + SECOND_PROBE_S

export const UPSTREAM_SCENARIOS: readonly Scenario[] = [
  { ...api('down', 'down for 8 s (503)', { all: 'down' }, CIRCUIT_CLOSES_S), essential: true },
  api('html', 'answering with a proxy page for 8 s (502, HTML)', { all: 'html' }, CIRCUIT_CLOSES_S),
  api('resetting', 'resetting every connection for 8 s', { all: 'reset' }, CIRCUIT_CLOSES_S),
  api('silent', 'not answering at all for 8 s', { all: 'hang' }, CIRCUIT_CLOSES_S),
  api('slow', 'taking 2 s for each answer, for 8 s', { latencyMs: 2_000 }, RESUMED_S),
  api('throttling', 'throttling every call for 8 s', { all: 'throttle' }, RESUMED_S),
  api(
    'forbidden',
    'refusing the credentials for 8 s',
    { forbid: 'Forbidden.RAMUserAccessDenied' },
    CIRCUIT_CLOSES_S,
  ),
  {
    name: 'poison-flood',
    fault: 'three events in ten are none, or refused',
    kinds: [
      'poison',
      'notyet',
      'passhkid2018',
      'invalidid',
      'passpassport',
      'failpassport',
      'unknowncode',
      'passhkid2018',
      'riskmainlandid',
      'passhkid2018',
    ],
    play: async ({ last, mark }) => {
      mark('it goes on', RESUMED_S)
      await last(5)
    },
  },
  {
    name: 'clock-jump',
    fault: "a replica's clock 20 minutes ahead for 8 s, then right again",
    replica: { nodeArgs: ['--import', CLOCK] },
    play: async ({ replicas: [victim], last, mark }) => {
      victim?.signal('SIGWINCH')
      await last(FIRST_PROBE_S + 3)
      victim?.signal('SIGWINCH')
      mark('the clock is right', CIRCUIT_CLOSES_S)
      await last(SECOND_PROBE_S)
    },
  },
]
