/**
 * The offsets of at-least-once delivery, committed behind their outputs. {@link OffsetCommits.note} is called once the
 * outputs are acknowledged and returns at once; what is noted meanwhile goes out together, in one request for all
 * partitions of this member, and there is never more than one under way.
 *
 * A commit that fails is tried again until it succeeds, a newer offset takes its place, or the partition goes to another
 * member: then it is forgotten, for the new owner reads the records again. Never rejects, never throws.
 */
import type { Clock, Log, Metrics } from '../../ports.ts'
import { id, type TopicPartition } from './batches.ts'
import { errorType, explain } from './errors.ts'

export interface TopicOffsets {
  readonly topic: string
  readonly partitions: { readonly partition: number; readonly offset: string }[]
}

export interface OffsetCommitsOptions {
  /** Commits as the member this consumer is; rejects when the group thinks otherwise. */
  readonly send: (topics: TopicOffsets[]) => Promise<void>
  readonly clock: Pick<Clock, 'after'>
  readonly metrics: Pick<Metrics, 'offsetCommit'>
  readonly log: Log
}

/** How long offsets are gathered: at a crash, about the outputs of so long come out again. */
const GATHER_MS = 100
const RETRY_MS = 500
/** Who waits for a partition's offset is let go when so many requests have failed: its records are read again. */
const MAX_FAILURES = 3

/** The group is deciding anew: tried again when it has, or forgotten. */
const EXPECTED = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

interface Noted extends TopicPartition {
  readonly nextOffset: bigint
}

export class OffsetCommits {
  readonly #options: OffsetCommitsOptions
  readonly #noted = new Map<string, Noted>()
  #owned: ReadonlySet<string> = new Set()
  #memberId: string | null = null
  #underWay: Promise<boolean> | null = null
  #cancelTimer: (() => void) | null = null
  #complained = false

  constructor(options: OffsetCommitsOptions) {
    this.#options = options
  }

  /** What the group decided. What is not ours any more, or was noted by a member that is no more, is forgotten. */
  assigned(memberId: string, assignment: Readonly<Record<string, readonly number[]>>): void {
    if (memberId !== this.#memberId) this.#noted.clear()
    this.#memberId = memberId
    this.#owned = new Set(
      Object.entries(assignment).flatMap(([topic, all]) => all.map((partition) => id({ topic, partition }))),
    )
    for (const key of this.#noted.keys()) if (!this.#owned.has(key)) this.#noted.delete(key)
    this.#cancel()
    this.#sendIn(0)
  }

  /** Others may own the partitions soon: what is not committed by then comes out again. */
  rebalancing(): void {
    if (this.#noted.size > 0) void this.#sendNow()
  }

  /** The outputs of everything below `nextOffset` are acknowledged. */
  note(of: TopicPartition, nextOffset: bigint): void {
    if (!this.#owned.has(id(of))) return
    this.#noted.set(id(of), { topic: of.topic, partition: of.partition, nextOffset })
    this.#sendIn(GATHER_MS)
  }

  /** What is noted is of a log that is no more. */
  forget(of: TopicPartition): void {
    this.#noted.delete(id(of))
  }

  /** Resolves when nothing noted for the partition is left to commit, or it could not be committed. */
  async flush(of: TopicPartition): Promise<void> {
    for (let failures = 0; failures < MAX_FAILURES && this.#noted.has(id(of));) {
      if (!(await this.#sendNow())) failures += 1
    }
  }

  #sendIn(delayMs: number): void {
    if (this.#noted.size === 0 || this.#underWay !== null || this.#cancelTimer !== null) return
    this.#cancelTimer = this.#options.clock.after(delayMs, () => void this.#sendNow())
  }

  /** Whether it went through; of the request under way, where there is one. */
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

  async #commit(sent: readonly Noted[]): Promise<boolean> {
    try {
      await this.#options.send(byTopic(sent))
    } catch (error) {
      this.#failed(error)
      return false
    }
    this.#options.metrics.offsetCommit('committed')
    this.#complained = false
    for (const one of sent) if (this.#noted.get(id(one)) === one) this.#noted.delete(id(one))
    return true
  }

  #failed(error: unknown): void {
    if (EXPECTED.has(errorType(error))) return
    const { metrics, log } = this.#options
    metrics.offsetCommit('failed')
    if (!this.#complained) log.warn('Could not commit offsets; trying again.', { detail: explain(error) })
    this.#complained = true
  }
}

function byTopic(noted: readonly Noted[]): TopicOffsets[] {
  return [...Map.groupBy(noted, ({ topic }) => topic)].map(([topic, all]) => ({
    topic,
    partitions: all.map(({ partition, nextOffset }) => ({ partition, offset: String(nextOffset) })),
  }))
}
