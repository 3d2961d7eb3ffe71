/** Measures how many records of a partition have no committed output and how old the oldest one is. Only observes. */
import { isPlausibleTime } from '../../core/records/plausible-time.ts'
import type { Clock, Metrics } from '../../ports.ts'

export interface PartitionLagOptions {
  readonly topic: string
  readonly partition: number
  readonly metrics: Pick<Metrics, 'lag' | 'oldestUnsettled'>
  readonly clock: Pick<Clock, 'epochMs'>
}

/** The oldest record that was fetched but not committed. */
export interface Oldest {
  readonly offset: bigint
  readonly item: { readonly timestampMs: number }
}

export class PartitionLag {
  readonly #options: PartitionLagOptions
  #highWatermark = 0n
  /** The next offset to read. */
  #readUpTo = 0n
  #records = 0

  constructor(options: PartitionLagOptions) {
    this.#options = options
  }

  /** Records without a committed output, as last measured. */
  get records(): number {
    return this.#records
  }

  /** Positions reported by the brokers. */
  progress(readUpTo: bigint, highWatermark: bigint): void {
    this.#readUpTo = readUpTo
    this.#highWatermark = highWatermark
  }

  /** Must be called when the oldest record or the reported positions change. */
  measure(oldest: Oldest | undefined): void {
    const { metrics, clock, topic, partition } = this.#options
    const from = oldest?.offset ?? this.#readUpTo
    this.#records = Number(this.#highWatermark > from ? this.#highWatermark - from : 0n)
    metrics.lag(topic, partition, this.#records)
    const timestampMs = oldest?.item.timestampMs ?? null
    const isPlausible = timestampMs !== null && isPlausibleTime(timestampMs, clock.epochMs())
    metrics.oldestUnsettled(topic, partition, isPlausible ? timestampMs : null)
  }
}
