/**
 * The partitions that cannot go on: claimed in vain, or with a record whose output the brokers do not take. Keeps what
 * /readyz and the metric say, and writes one log line when a cause appears, one for the partitions that it hits within the
 * second after, and one when it is over: not one for each try. Never throws.
 */
import { partitionNames } from '../core/partition-names.ts'
import type { Clock, Failure, Log, Metrics } from '../ports.ts'

export interface Blocked {
  readonly topic: string
  readonly partition: number
  /** The oldest record without a committed output. */
  readonly offset: bigint
  readonly failure: Failure
}

export interface BlockedPartitionsOptions {
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'blocked'>
  /** Told when the first partition is blocked with this code, and when the last one goes on. */
  readonly onCause: (code: string, isPresent: boolean) => void
}

/** Others with the same cause usually follow at once. */
const GATHER_MS = 1_000

export class BlockedPartitions {
  readonly #options: BlockedPartitionsOptions
  readonly #blocked = new Map<string, Blocked>()
  /** Partitions that are not in the log yet, by the code of their failure; there is an entry while the cause lasts. */
  readonly #unlogged = new Map<string, Set<string>>()

  constructor(options: BlockedPartitionsOptions) {
    this.#options = options
  }

  /** In the order they were blocked. */
  get all(): readonly Blocked[] {
    return [...this.#blocked.values()]
  }

  block(blocked: Blocked): void {
    const { topic, partition, offset, failure } = blocked
    const key = `${topic}:${partition}`
    const before = this.#blocked.get(key)
    this.#blocked.set(key, blocked)
    if (before?.failure.code === failure.code && before.offset === offset) return
    this.#options.metrics.blocked(topic, partition, { offset, code: failure.code })
    if (before?.failure.code === failure.code) return
    if (before !== undefined) this.#endOf(before)
    this.#announce(key, blocked)
  }

  /** It goes on. */
  clear(topic: string, partition: number): void {
    const code = this.#remove(topic, partition)
    if (code !== null) this.#options.log.info('No partition is blocked for this reason any more.', { code })
  }

  /** It is not ours any more: nothing is known of how it goes on. */
  forget(topic: string, partition: number): void {
    this.#remove(topic, partition)
  }

  /** The code that no partition has any more, if there is one. */
  #remove(topic: string, partition: number): string | null {
    const key = `${topic}:${partition}`
    const before = this.#blocked.get(key)
    if (before === undefined) return null
    this.#blocked.delete(key)
    this.#options.metrics.blocked(topic, partition, null)
    return this.#endOf(before)
  }

  #announce(key: string, { topic, partition, offset, failure }: Blocked): void {
    const { code, message: detail } = failure
    const unlogged = this.#unlogged.get(code)
    if (unlogged !== undefined) {
      if (unlogged.size === 0) this.#options.clock.after(GATHER_MS, () => this.#announceRest(code))
      unlogged.add(key)
      return
    }
    this.#unlogged.set(code, new Set())
    this.#options.onCause(code, true)
    const { log } = this.#options
    const fields = { topic, partition, offset: String(offset), code, detail }
    if (failure.passing)
      log.warn(
        'A partition is waiting for the brokers. The service keeps retrying and processes the other partitions.',
        fields,
      )
    else
      log.error(
        'A partition is blocked. The service retries it at least every 30 s and processes the other partitions.',
        fields,
      )
  }

  #announceRest(code: string): void {
    const unlogged = this.#unlogged.get(code)
    if (unlogged === undefined || unlogged.size === 0) return
    const partitions = [...unlogged].flatMap((key) => {
      const blocked = this.#blocked.get(key)
      return blocked?.failure.code === code ? [blocked] : []
    })
    unlogged.clear()
    if (partitions.length === 0) return
    this.#options.log.warn('More partitions are waiting or blocked for the same reason.', {
      code,
      count: partitions.length,
      partitions: partitionNames(partitions),
    })
  }

  #endOf({ failure: { code } }: Blocked): string | null {
    for (const { failure } of this.#blocked.values()) if (failure.code === code) return null
    this.#unlogged.delete(code)
    this.#options.onCause(code, false)
    return code
  }
}
