/**
 * Scenarios with failures of the CheckResult API, invalid events, and a clock jump of the replica that signs the
 * calls.
 */
import { fileURLToPath } from 'node:url'
import type { Faults } from '../../../simulator/simulator.ts'
import type { Scenario, Scene } from '../scenario.ts'
import { RESUMED_S } from './replicas.ts'

/** An open circuit breaker sends its first probe after 5 s and the next one 10 s later. */
const FIRST_PROBE_S = 5
const SECOND_PROBE_S = 10

const CLOCK = fileURLToPath(new URL('../clock.ts', import.meta.url))

function api(name: string, fault: string, faults: Faults, boundS: number): Scenario {
  return {
    name: `api-${name}`,
    fault: `the API ${fault}`,
    play: async (scene) => withFaults(scene, faults, boundS),
  }
}

async function withFaults({ stage, last, mark }: Scene, faults: Faults, boundS: number): Promise<void> {
  stage.simulator.setFaults(faults)
  await last(8)
  stage.simulator.setFaults({})
  mark('it answered normally again', boundS)
}

const CIRCUIT_CLOSES_S = RESUMED_S + SECOND_PROBE_S

export const UPSTREAM_SCENARIOS: readonly Scenario[] = [
  { ...api('down', 'answers 503', { all: 'down' }, CIRCUIT_CLOSES_S), essential: true },
  api('html', 'answers with the page of a proxy', { all: 'html' }, CIRCUIT_CLOSES_S),
  api('resetting', 'resets every connection', { all: 'reset' }, CIRCUIT_CLOSES_S),
  api('silent', 'does not answer at all', { all: 'hang' }, CIRCUIT_CLOSES_S),
  api('slow', 'takes 2 s for each answer', { latencyMs: 2_000 }, RESUMED_S),
  api('throttling', 'throttles every call', { all: 'throttle' }, RESUMED_S),
  api('forbidden', 'rejects the credentials', { forbid: 'Forbidden.RAMUserAccessDenied' }, CIRCUIT_CLOSES_S),
  {
    name: 'poison-flood',
    fault: 'three events in ten are invalid or rejected',
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
      mark('the flood ended', RESUMED_S)
      await last(5)
    },
  },
  {
    name: 'clock-jump',
    fault: "a replica's clock set forward 20 minutes and back",
    replica: { nodeArgs: ['--import', CLOCK] },
    play: async ({ replicas: [victim], last, mark }) => {
      victim?.signal('SIGWINCH')
      await last(FIRST_PROBE_S + 3)
      victim?.signal('SIGWINCH')
      mark('the clock was right', CIRCUIT_CLOSES_S)
      await last(SECOND_PROBE_S)
    },
  },
]
