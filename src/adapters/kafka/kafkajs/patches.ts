/** All changes to kafkajs's private classes, in the order in which they are made. */
import { patchBrokerReady } from './patch-broker-ready.ts'
import { patchReconnect } from './patch-reconnect.ts'
import { patchRequestQueue } from './patch-request-queue.ts'
import { patchSilence } from './patch-silence.ts'

interface Patch {
  /** The patch is in `patch-<name>.ts`, which explains it, and its test in the file of that name. */
  readonly name: string
  readonly reason: string
  /** Issues and pull requests of tulios/kafkajs, none of them merged. Empty if we found none. */
  readonly upstream: readonly number[]
  readonly apply: () => void
}

/** The order counts: `reconnect` wraps the method `connect` of the one before. */
export const PATCHES = [
  {
    name: 'request-queue',
    reason:
      'Timers run without requests, a clock that is set forward fails all requests, and a connection whose request timed out stays in use.',
    upstream: [1556, 1704, 1751, 1768, 1783],
    apply: patchRequestQueue,
  },
  {
    name: 'silence',
    reason: 'If the host of a broker vanishes, each connection to it costs a timeout, one request at a time.',
    upstream: [919, 1783],
    apply: patchSilence,
  },
  {
    name: 'reconnect',
    reason:
      'A new connection receives the remains of the previous one, and a login waits forever for a closed connection.',
    upstream: [],
    apply: patchReconnect,
  },
  {
    name: 'broker-ready',
    reason:
      'A broker counts as connected before its versions are known, so the first requests to it can fail.',
    upstream: [],
    apply: patchBrokerReady,
  },
] as const satisfies readonly Patch[]

/** A second call changes nothing. `only` is for the benchmark, which compares with an almost plain kafkajs. */
export function applyPatches(only?: (typeof PATCHES)[number]['name']): void {
  for (const { name, apply } of PATCHES) if (only === undefined || only === name) apply()
}
