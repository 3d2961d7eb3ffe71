/**
 * The state behind /livez, /readyz and the status page.
 *
 * Live: the fetch loop makes progress, whatever the brokers do. Ready: the replica has joined the group, found the
 * schemas and claimed every partition. It stays ready while the circuit breaker is open, because a restart would not
 * close it.
 */
import { partitionNames } from '../core/partitions/partition-names.ts'
import type { Blocked, BlockedPartitions } from '../pipeline/delivery/blocked-partitions.ts'
import type { Shards } from '../pipeline/delivery/shards.ts'
import type { PermitQueue } from '../pipeline/calls/permit-queue.ts'
import type { Clock } from '../ports.ts'
import type { Session } from './session.ts'

export interface Check {
  readonly ok: boolean
  /** One message for each reason. */
  readonly reasons: readonly string[]
}

export interface ServiceHealthOptions {
  readonly clock: Clock
  readonly permits: PermitQueue
  readonly blocked: Pick<BlockedPartitions, 'all'>
  /** Records that wait for the schema registry. */
  readonly registryWaiting: () => number
  /** This replica's share of the quota. */
  readonly share: () => string
  /** Constant values for the status page. */
  readonly facts: Readonly<Record<string, string | number>>
}

/** The session as it is observed. */
export type ObservedSession = Pick<Session, 'warnings'> & {
  readonly shards: Pick<Shards, 'partitions' | 'lag' | 'backlog' | 'unclaimed'>
}

type Phase =
  /** `obstacle` is what the service waits for. */
  | { readonly name: 'starting'; readonly obstacle: string }
  | { readonly name: 'running'; readonly session: ObservedSession }
  | { readonly name: 'stopping' }

/**
 * Fetches and heartbeats report activity several times a second, even without brokers. After this long without any, the
 * consumer hangs.
 */
const MAX_INACTIVE_MS = 300_000

export class ServiceHealth {
  readonly #options: ServiceHealthOptions
  #phase: Phase = { name: 'starting', obstacle: 'The service is starting.' }
  #lastActiveMs: number

  constructor(options: ServiceHealthOptions) {
    this.#options = options
    this.#lastActiveMs = options.clock.monotonicMs()
  }

  starting(obstacle: string): void {
    this.#enter({ name: 'starting', obstacle })
    this.reportActivity()
  }

  running(session: ObservedSession): void {
    this.#enter({ name: 'running', session })
  }

  stopping(): void {
    this.#enter({ name: 'stopping' })
  }

  reportActivity(): void {
    this.#lastActiveMs = this.#options.clock.monotonicMs()
  }

  live(): Check {
    const inactiveMs = this.#options.clock.monotonicMs() - this.#lastActiveMs
    if (inactiveMs < MAX_INACTIVE_MS) return { ok: true, reasons: [] }
    return {
      ok: false,
      reasons: [
        `The Kafka consumer has been inactive for ${Math.floor(inactiveMs / 1000)} s. Restart this replica.`,
      ],
    }
  }

  ready(): Check {
    const phase = this.#phase
    if (phase.name === 'stopping') return { ok: false, reasons: ['The service is stopping.'] }
    if (phase.name === 'starting') return { ok: false, reasons: [phase.obstacle] }
    const reasons = blockedReasons(this.#options.blocked.all)
    const { shards, warnings } = phase.session
    if (shards.unclaimed > 0) reasons.push(`Partitions not claimed yet: ${shards.unclaimed}.`)
    // Warnings are about causes outside this replica, so they do not make it unready.
    return { ok: reasons.length === 0, reasons: [...reasons, ...warnings] }
  }

  status(): Readonly<Record<string, string | number>> {
    const { permits, facts, registryWaiting, share } = this.#options
    const phase = this.#phase
    const shards = phase.name === 'running' ? phase.session.shards : null
    const { reasons } = this.ready()
    return {
      ...facts,
      phase: phase.name,
      ...(reasons.length > 0 && { 'waiting for': reasons.join(' ') }),
      'quota share': share(),
      partitions: partitionNames(shards?.partitions ?? []),
      lag: shards?.lag ?? 0,
      'buffered records': shards?.backlog ?? 0,
      'calls in flight': permits.inFlight,
      'records waiting for registry': registryWaiting(),
      'circuit breaker': permits.status,
    }
  }

  /** Stopping is final. */
  #enter(phase: Phase): void {
    if (this.#phase.name !== 'stopping') this.#phase = phase
  }
}

/** All blocked partitions are in the metric `partition_blocked_offset`. */
const MAX_NAMED = 5

function blockedReasons(blocked: readonly Blocked[]): string[] {
  const reasons = blocked
    .slice(0, MAX_NAMED)
    .map(
      ({ topic, partition, offset, failure }) =>
        `Partition ${partition} of ${topic} is waiting at offset ${offset}: ${failure.message}`,
    )
  const rest = blocked.length - reasons.length
  return rest > 0 ? [...reasons, `More blocked partitions: ${rest}.`] : reasons
}
