/** All scenarios, and the selection of some. */
import type { Options } from './options.ts'
import type { Scenario } from './scenario.ts'
import { BROKER_SCENARIOS } from './scenarios/brokers.ts'
import { NETWORK_SCENARIOS } from './scenarios/network.ts'
import { REPLICA_SCENARIOS } from './scenarios/replicas.ts'
import { TOPIC_SCENARIOS } from './scenarios/topics.ts'
import { UPSTREAM_SCENARIOS } from './scenarios/upstream.ts'

export const SCENARIOS: readonly Scenario[] = [
  ...REPLICA_SCENARIOS,
  ...BROKER_SCENARIOS,
  ...NETWORK_SCENARIOS,
  ...UPSTREAM_SCENARIOS,
  ...TOPIC_SCENARIOS,
]

/** `only` has substrings of names: `api` selects all scenarios of the CheckResult API. */
export function chosen({ short, only }: Pick<Options, 'short' | 'only'>): Scenario[] {
  if (only.length > 0) return SCENARIOS.filter(({ name }) => only.some((part) => name.includes(part)))
  return SCENARIOS.filter(({ essential }) => !short || essential === true)
}
