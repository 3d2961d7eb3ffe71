/**
 * One topic-partition: buffers its records, starts them in order when they are due, and has the longest finished prefix
 * ready for its shard, which commits it. The shard decides whether a lane may start records ({@link LaneOwner}).
 *
 * Never throws.
 */
import type { TopicPartition } from '../../core/partitions/topic-partition.ts'
import type { Failure, InputRecord } from '../../ports.ts'
import { untilDueMs } from './buffered-record.ts'
import { countOutcomes, countRepeated } from '../record/count-outcome.ts'
import { LaneRecords, type LaneEntry, type LanePrefix } from './lane-records.ts'
import type { LaneOptions } from './lane-options.ts'
import { isFinished } from './offset-tracker.ts'
import { replaceRefused, type ProcessedRecord } from '../record/outputs.ts'
import { PartitionLag } from './partition-lag.ts'
import type { RecordContext } from '../record/process-record.ts'
import { PublishRetry } from './publish-retry.ts'

/**
 * Records that a lane may always process at once. It starts more only while few records wait for permits, because
 * waiting only costs memory.
 */
const ALWAYS_ACTIVE = 16

export interface LaneLoad {
  /** Records that are started but not finished. */
  readonly active: number
  /** Records that could start now. */
  readonly waiting: number
}

export class Lane implements TopicPartition {
  readonly lag: PartitionLag
  readonly retry: PublishRetry
  readonly #options: LaneOptions
  readonly #records: LaneRecords
  /** Records being processed right now. */
  #active = 0
  /** Replaced when the buffered records are dropped, so that records still being processed are recognized as unwanted. */
  #context: RecordContext
  #cancelDue: (() => void) | null = null
  /** The shard was fenced, so the records after the committed offset were dropped and must be read again. */
  #mustSeek = false
  #replacedAt: bigint | null = null
  #isClosed = false

  constructor(options: LaneOptions) {
    this.#options = options
    this.#records = new LaneRecords(options)
    this.lag = new PartitionLag(options)
    this.retry = new PublishRetry(options)
    this.#context = this.#newContext()
  }

  get topic(): string {
    return this.#options.topic
  }

  get partition(): number {
    return this.#options.partition
  }

  get backlog(): number {
    return this.#records.tracker.size
  }

  get load(): LaneLoad {
    return { active: this.#active, waiting: this.#cancelDue === null ? this.#records.tracker.waiting : 0 }
  }

  /** Whether the shard could commit something: the oldest record is finished. */
  get hasFinished(): boolean {
    return !this.retry.isWaiting && (this.#records.tracker.oldest?.result ?? null) !== null
  }

  /** The oldest offset without a committed output, as far as known. */
  get nextOffset(): bigint {
    return this.#records.nextOffset
  }

  /** Where a replaced log begins, while the committed offset still belongs to the old log; otherwise null. */
  get replacedAt(): bigint | null {
    return this.#replacedAt
  }

  /** Buffers incoming records. Records that came before are recognized by their offset and dropped. */
  receive(records: readonly InputRecord[]): void {
    const { topic, metrics, owner } = this.#options
    if (this.#isClosed || owner.phase === 'fenced') return
    const repeated = this.#records.add(records)
    metrics.consumed(topic, records.length - repeated)
    if (repeated > 0) metrics.redelivered(repeated)
    if (owner.phase === 'running') this.#readGap(owner.committedOffset(this))
    this.#observe()
    this.#pump()
  }

  /** How far the partition is written and read, for the lag. */
  progress(readUpTo: bigint, highWatermark: bigint): void {
    this.lag.progress(readUpTo, highWatermark)
    this.lag.measure(this.#records.tracker.oldest)
  }

  /** The shard is claimed: nobody else can commit, so the committed offset is final. */
  claimed(committedOffset: bigint | null): void {
    const mustSeek = this.#mustSeek
    this.#mustSeek = false
    this.#replacedAt = null
    // A publish whose outcome was unknown has turned out to be committed.
    if (committedOffset !== null)
      this.#count(this.#records.skipTo(committedOffset).filter(({ passed }) => passed))
    this.retry.claimed({ isEmpty: this.#records.tracker.size === 0 })
    if (mustSeek) this.#seek(committedOffset)
    this.#readGap(committedOffset)
    this.#observe()
    this.#pump()
  }

  /** The longest finished prefix that may be committed, of at most `limit` records; null if there is none. */
  prefix(limit: number, mayCommit: (processed: ProcessedRecord) => boolean): LanePrefix | null {
    return this.#records.tracker.prefix(limit, mayCommit)
  }

  committed(prefix: LanePrefix): void {
    if (!this.#records.tracker.committed(prefix)) return
    this.#count(prefix.finished)
    // The partition may have a new lane, which is responsible for pausing, lag and blocks.
    if (this.#isClosed) return
    this.retry.committed()
    this.#observe()
    this.#pump()
  }

  /** Replaces the only output of a prefix by a smaller one. Returns false if there is none. */
  replaceRefused({ finished: [alone] }: LanePrefix, failure: Failure): boolean {
    return alone !== undefined && replaceRefused(alone, this.#options.outputs, failure)
  }

  /** Another member owns the shard, so its records are dropped. They are read again if the shard is claimed again. */
  fenced(): void {
    this.#dropRecords(null)
    this.#mustSeek = true
    this.lag.measure(undefined)
  }

  /**
   * The partition's log was replaced or truncated and is read again from `begin`. Buffered records belong to the old
   * log. The shard must be claimed again, which aborts outputs of them in an open transaction.
   */
  replaced(begin: bigint): void {
    this.#replacedAt = begin
    this.#dropRecords(begin)
    this.#observe()
  }

  /** The partition was taken away: nothing more is started. */
  close(): void {
    this.#isClosed = true
    this.#cancelDue?.()
    this.retry.end()
    this.#records.release()
    this.#options.metrics.partitionLost(this.topic, this.partition)
  }

  /** The last transaction of the closed lane has ended: what is finished and not committed will be called for again. */
  countRepeated(): void {
    countRepeated(this.#options.metrics, this.#records.tracker.results)
    this.#records.tracker.clear()
  }

  /** If reading began above the committed offset, because the group had an outdated position, the lane reads from it. */
  #readGap(committedOffset: bigint | null): void {
    const from = this.#records.gapFrom(committedOffset)
    if (from !== null) this.#seek(from)
  }

  #seek(offset: bigint | null): void {
    this.#forget()
    this.#records.seek(offset)
  }

  #pump(): void {
    const { processRecord, clock, onDefect, mayStartMore, owner } = this.#options
    const { tracker } = this.#records
    while (!this.#isClosed && owner.phase === 'running') {
      if (this.#active >= ALWAYS_ACTIVE && !mayStartMore()) return
      const entry = tracker.peek()
      if (entry === undefined) return
      const restMs = untilDueMs(entry.item, clock)
      this.#cancelDue?.()
      this.#cancelDue = null
      if (restMs > 0) {
        this.#cancelDue = clock.after(restMs, () => this.#pump())
        return
      }
      tracker.begin()
      this.#active += 1
      const context = this.#context
      processRecord(entry.item, context).then(
        (processed) => this.#finished(entry, processed, context),
        onDefect,
      )
    }
  }

  #finished(entry: LaneEntry, processed: ProcessedRecord | null, context: RecordContext): void {
    this.#active -= 1
    if (!this.#isClosed && this.#context === context) entry.result = processed
    else if (processed !== null) countRepeated(this.#options.metrics, [processed])
    this.#pump()
    this.#options.owner.advance()
  }

  /** A record whose call has started is finished; a record that waits for a permit gives up when the lane stops. */
  #newContext(): RecordContext {
    const { topic, partition, owner } = this.#options
    const context: RecordContext = {
      partitionName: `${topic}:${partition}`,
      isWanted: () =>
        !this.#isClosed &&
        owner.phase !== 'draining' &&
        owner.phase !== 'closed' &&
        this.#context === context,
      onCallStarting: () => owner.prepare(partition),
    }
    return context
  }

  #count(entries: readonly LaneEntry[]): void {
    countOutcomes(this.#options, entries.filter(isFinished), this.#options.clock.epochMs())
  }

  #observe(): void {
    this.#records.updateShare()
    this.lag.measure(this.#records.tracker.oldest)
  }

  #dropRecords(restartAt: bigint | null): void {
    this.#forget()
    this.#records.restartAt(restartAt)
  }

  /** The buffered records are about to be dropped. */
  #forget(): void {
    this.countRepeated()
    this.#context = this.#newContext()
  }
}
