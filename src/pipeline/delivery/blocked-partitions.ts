/**
 * The partitions that cannot continue, because their claim fails or the brokers reject an output. Provides them to
 * /readyz and the metric. Logs a cause when it appears, once more for the partitions that it affects within the next
 * second, and when it is over, instead of every retry. Never throws.
 */
import { partitionNames } from '../../core/partitions/partition-names.ts'
import type { Clock, Failure, Log, Metrics } from '../../ports.ts'

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
  /** Called when the first partition is blocked with this code, and when the last such partition continues. */
  readonly onCause: (code: string, isPresent: boolean) => void
}

/** Other partitions with the same cause usually follow at once. */
const GATHER_MS = 1_000

export class BlockedPartitions {
  readonly #options: BlockedPartitionsOptions
  readonly #blocked = new Map<string, Blocked>()
  /**
   * Partitions that are not logged yet, by the code of their failure. A code has an entry while any partition is
   * blocked with it.
   */
  readonly #unlogged = new Map<string, Set<string>>()

  constructor(options: BlockedPartitionsOptions) {
    this.#options = options
  }

  /** In the order in which they were blocked. */
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
    if (before !== undefined) this.#removeCause(before)
    this.#announce(key, blocked)
  }

  /** The partition continues. */
  clear(topic: string, partition: number): void {
    const code = this.#remove(topic, partition)
    if (code !== null) this.#options.log.info('No partition is blocked for this reason anymore.', { code })
  }

  /** The partition is no longer assigned to this replica. */
  forget(topic: string, partition: number): void {
    this.#remove(topic, partition)
  }

  /** Returns the partition's code if no other partition is blocked with it, otherwise null. */
  #remove(topic: string, partition: number): string | null {
    const key = `${topic}:${partition}`
    const before = this.#blocked.get(key)
    if (before === undefined) return null
    this.#blocked.delete(key)
    this.#options.metrics.blocked(topic, partition, null)
    return this.#removeCause(before)
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
    if (failure.temporary)
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

  #removeCause({ failure: { code } }: Blocked): string | null {
    for (const { failure } of this.#blocked.values()) if (failure.code === code) return null
    this.#unlogged.delete(code)
    this.#options.onCause(code, false)
    return code
  }
}
