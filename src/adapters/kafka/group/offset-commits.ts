/**
 * Commits the offsets of at-least-once delivery after their outputs. {@link OffsetCommits.note} is called once the
 * outputs are acknowledged, and returns at once. Noted offsets of all partitions of this member go out together,
 * with at most one request in flight. A failed commit is retried until it succeeds, a newer offset replaces it, or
 * the partition moves to another member. Then it is dropped, because the new owner reads the records again. Never
 * rejects, never throws.
 */
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'
import type { Clock, Log, Metrics, PartitionOffset } from '../../../ports.ts'
import { offsetsByTopic } from '../by-topic.ts'
import { errorType, explain } from '../errors.ts'

export interface TopicOffsets {
  readonly topic: string
  readonly partitions: { readonly partition: number; readonly offset: string }[]
}

export interface OffsetCommitsOptions {
  /** Commits as this consumer's member. Rejects if the group has changed since. */
  readonly send: (topics: TopicOffsets[]) => Promise<void>
  readonly clock: Pick<Clock, 'after'>
  readonly metrics: Pick<Metrics, 'offsetCommit'>
  readonly log: Log
}

/** How long offsets are collected. After a crash, outputs of about this time are repeated. */
const GATHER_MS = 100
const RETRY_MS = 500
/** After this many failed requests {@link OffsetCommits.flush} gives up waiting, and the records are read again. */
const MAX_FAILURES = 3

/** Errors during a rebalance: the offset is retried afterwards or dropped. */
const EXPECTED = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

export class OffsetCommits {
  readonly #options: OffsetCommitsOptions
  readonly #noted = new Map<string, PartitionOffset>()
  #owned: ReadonlySet<string> = new Set()
  #memberId: string | null = null
  #underWay: Promise<boolean> | null = null
  #cancelTimer: (() => void) | null = null
  #complained = false

  constructor(options: OffsetCommitsOptions) {
    this.#options = options
  }

  /** Applies the group's decision. Offsets of revoked partitions or of a former member are dropped. */
  assigned(memberId: string, assignment: Readonly<Record<string, readonly number[]>>): void {
    if (memberId !== this.#memberId) this.#noted.clear()
    this.#memberId = memberId
    this.#owned = new Set(
      Object.entries(assignment).flatMap(([topic, all]) =>
        all.map((partition) => partitionKey({ topic, partition })),
      ),
    )
    for (const key of this.#noted.keys()) if (!this.#owned.has(key)) this.#noted.delete(key)
    this.#cancel()
    this.#sendIn(0)
  }

  /** Other members may own the partitions soon: outputs whose offset is not committed by then are repeated. */
  rebalancing(): void {
    if (this.#noted.size > 0) void this.#sendNow()
  }

  /** Reports that the outputs of all records below these offsets are acknowledged. */
  note(offsets: readonly PartitionOffset[]): void {
    for (const one of offsets) if (this.#owned.has(partitionKey(one))) this.#noted.set(partitionKey(one), one)
    this.#sendIn(GATHER_MS)
  }

  /** Drops the noted offset, because it belongs to a log that no longer exists. */
  forget(of: TopicPartition): void {
    this.#noted.delete(partitionKey(of))
  }

  /** Resolves when the noted offsets of these partitions are committed, or could not be. */
  async flush(partitions: readonly TopicPartition[]): Promise<void> {
    const isNoted = (one: TopicPartition): boolean => this.#noted.has(partitionKey(one))
    for (let failures = 0; failures < MAX_FAILURES && partitions.some(isNoted);) {
      if (!(await this.#sendNow())) failures += 1
    }
  }

  /** The membership is over, so nothing more can be committed with it. */
  close(): void {
    this.#owned = new Set()
    this.#noted.clear()
    this.#cancel()
  }

  #sendIn(delayMs: number): void {
    if (this.#noted.size === 0 || this.#underWay !== null || this.#cancelTimer !== null) return
    this.#cancelTimer = this.#options.clock.after(delayMs, () => void this.#sendNow())
  }

  /** Returns whether the commit succeeded. Waits for a request in flight instead of sending another one. */
  #sendNow(): Promise<boolean> {
    if (this.#underWay !== null) return this.#underWay
    this.#cancel()
    this.#underWay = this.#commit([...this.#noted.values()]).then((committed) => {
      this.#underWay = null
      this.#sendIn(committed ? GATHER_MS : RETRY_MS)
      return committed
    })
    return this.#underWay
  }

  #cancel(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
  }

  async #commit(sent: readonly PartitionOffset[]): Promise<boolean> {
    try {
      await this.#options.send(offsetsByTopic(sent))
    } catch (error) {
      this.#failed(error)
      return false
    }
    this.#options.metrics.offsetCommit('committed')
    this.#complained = false
    for (const one of sent)
      if (this.#noted.get(partitionKey(one)) === one) this.#noted.delete(partitionKey(one))
    return true
  }

  #failed(error: unknown): void {
    if (EXPECTED.has(errorType(error))) return
    const { metrics, log } = this.#options
    metrics.offsetCommit('failed')
    if (!this.#complained)
      log.warn('Could not commit offsets of published outputs. The service keeps trying.', {
        detail: explain(error),
      })
    this.#complained = true
  }
}
