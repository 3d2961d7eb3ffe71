/**
 * The state behind /livez, /readyz and the status page.
 *
 * Live: the fetch loop makes progress, whatever the brokers do. Ready: the replica has joined the group, found the
 * schemas and claimed every partition. It stays ready while the circuit breaker is open, because a restart would not
 * close it.
 */
import { partitionNames } from './core/partition-names.ts'
import type { Blocked, BlockedPartitions } from './pipeline/blocked-partitions.ts'
import type { Shards } from './pipeline/shards.ts'
import type { PermitQueue } from './pipeline/permit-queue.ts'
import type { Clock } from './ports.ts'

export interface Check {
  readonly ok: boolean
  /** One message for each reason. */
  readonly reasons: readonly string[]
}

export interface ServiceHealthOptions {
  readonly clock: Clock
  readonly shards: () => Shards | undefined
  /** Why partitions do not advance for reasons outside this replica. They do not make it unready. */
  readonly warnings: () => readonly string[]
  readonly permits: PermitQueue
  readonly blocked: Pick<BlockedPartitions, 'all'>
  /** Records that wait for the schema registry. */
  readonly registryWaiting: () => number
  /** This replica's share of the quota. */
  readonly share: () => string
  /** Constant values for the status page. */
  readonly facts: Readonly<Record<string, string | number>>
}

/**
 * Fetches and heartbeats report activity several times a second, even without brokers. After this long without any, the
 * consumer hangs.
 */
const MAX_INACTIVE_MS = 300_000

export class ServiceHealth {
  readonly #options: ServiceHealthOptions
  #phase: 'starting' | 'running' | 'stopping' = 'starting'
  #obstacle = 'The service is starting.'
  #lastActiveMs: number
  #wake: (() => void) | null = null

  constructor(options: ServiceHealthOptions) {
    this.#options = options
    this.#lastActiveMs = options.clock.monotonicMs()
  }

  get isStopping(): boolean {
    return this.#phase === 'stopping'
  }

  notReady(obstacle: string): void {
    this.#obstacle = obstacle
    this.reportActivity()
  }

  started(): void {
    if (!this.isStopping) this.#phase = 'running'
  }

  /** The service is not ready until it has started again. */
  interrupted(obstacle: string): void {
    if (!this.isStopping) this.#phase = 'starting'
    this.notReady(obstacle)
  }

  stopping(): void {
    this.#phase = 'stopping'
    this.#wake?.()
  }

  reportActivity(): void {
    this.#lastActiveMs = this.#options.clock.monotonicMs()
  }

  /** Resolves after `delayMs`, or early if the service stops. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(delayMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
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
    if (this.#phase === 'stopping') return { ok: false, reasons: ['The service is stopping.'] }
    if (this.#phase === 'starting') return { ok: false, reasons: [this.#obstacle] }
    const reasons = blockedReasons(this.#options.blocked.all)
    const unclaimed = this.#options.shards()?.unclaimed ?? 0
    if (unclaimed > 0) reasons.push(`Partitions not claimed yet: ${unclaimed}.`)
    return { ok: reasons.length === 0, reasons: [...reasons, ...this.#options.warnings()] }
  }

  status(): Readonly<Record<string, string | number>> {
    const { permits, facts, registryWaiting, share } = this.#options
    const shards = this.#options.shards()
    const { reasons } = this.ready()
    return {
      ...facts,
      phase: this.#phase,
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
