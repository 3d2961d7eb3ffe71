/**
 * One input partition from claim to commit: the exactly-once protocol of DESIGN.md, "The delivery path".
 *
 *   claiming → running ⇄ claiming (own failure)
 *                 ↓
 *              fenced → claiming (after an accepted heartbeat: the partition is still assigned)
 *   any → closed (revoked, or drained)
 *
 * No record is output twice: a lane either commits before the next owner claims the partition, or its transaction is
 * fenced. No record is lost: it is either committed, or above the committed offset and therefore read again.
 *
 * Never throws. Failures at the brokers are retried until the lane is closed.
 */
import { ClaimRetry } from './claim-retry.ts'
import { CommitPolicy } from './commit-policy.ts'
import { countOutcomes, countRepeated } from './count-outcome.ts'
import { bufferedRecord, sizeBytes, untilDueMs, type BufferedRecord } from './buffered-record.ts'
import { InDoubt, overwriteCommitted } from './in-doubt.ts'
import type { LaneOptions, LaneState } from './lane-options.ts'
import { OffsetTracker, type Prefix } from './offset-tracker.ts'
import { replaceRefused, type ProcessedRecord } from './outputs.ts'
import { PartitionLag } from './partition-lag.ts'
import type { LaneShare } from './record-budget.ts'
import type { RecordContext } from './process-record.ts'
import { TakenOffsets } from './taken-offsets.ts'
import type { Failure, InputRecord, OutputSink } from '../ports.ts'

/**
 * Records that a lane may always process at once. It starts more only while few records wait for permits, because
 * waiting only costs memory.
 */
const ALWAYS_ACTIVE = 16

export class Lane {
  readonly #options: LaneOptions
  readonly #share: LaneShare
  readonly #commits: CommitPolicy
  readonly #retry: ClaimRetry
  readonly lag: PartitionLag
  readonly #doubt: InDoubt
  readonly #taken = new TakenOffsets()
  readonly #tracker = new OffsetTracker<BufferedRecord, ProcessedRecord>(sizeBytes)
  #state: LaneState = 'claiming'
  #sink: OutputSink | null = null
  #committing: Promise<void> | null = null
  #draining: (() => void) | null = null
  /** Records being processed right now. */
  #active = 0
  /**
   * Replaced whenever the buffered records are dropped, so that records still being processed are recognized as
   * unwanted.
   */
  #context: RecordContext
  #cancelDue: (() => void) | null = null
  /** Where a replaced log begins, while the committed offset still belongs to the old log; otherwise null. */
  #restartAt: bigint | null = null

  constructor(options: LaneOptions) {
    this.#options = options
    this.#share = options.budget.share(options.flow)
    this.#commits = new CommitPolicy(options.clock)
    this.#retry = new ClaimRetry(options)
    this.lag = new PartitionLag(options)
    this.#doubt = new InDoubt((finished) => this.#count(finished))
    this.#context = this.#newContext()
  }

  get backlog(): number {
    return this.#tracker.size
  }

  get state(): LaneState {
    return this.#state
  }

  /**
   * Claims at once and not with the first record, because a dead owner's open transaction blocks read_committed
   * readers.
   */
  start(): void {
    void this.#claim({ seek: false })
  }

  /** Buffers incoming records. Records that came before are recognized by their offset and dropped. */
  receive(records: readonly InputRecord[]): void {
    if (this.#state === 'closed' || this.#state === 'fenced') return
    let repeated = 0
    for (const record of records) {
      if (this.#taken.take(record.offset))
        this.#tracker.add(record.offset, bufferedRecord(record, this.#options))
      else repeated += 1
    }
    const { topic, metrics } = this.#options
    metrics.consumed(topic, records.length - repeated)
    if (repeated > 0) metrics.redelivered(repeated)
    if (this.#state === 'running') this.#verify()
    this.#flow()
    this.#pump()
  }

  /** How far the partition is written and read, for the lag. */
  progress(readUpTo: bigint, highWatermark: bigint): void {
    this.lag.progress(readUpTo, highWatermark)
    this.lag.measure(this.#tracker.oldest)
  }

  /** A heartbeat was accepted, so this replica is still in the group and a fenced lane may claim again. */
  heartbeat(): void {
    if (this.#state === 'fenced') void this.#claim({ seek: true })
  }

  /**
   * The partition's log was replaced or truncated and is read again from `begin`. Buffered records belong to the old
   * log. So does an open transaction, which the next claim aborts.
   */
  async replaced(begin: bigint): Promise<void> {
    if (this.#isClosed()) return
    const mustClaim = this.#state === 'running'
    if (mustClaim) this.#state = 'claiming'
    this.#restartAt = begin
    this.#doubt.drop()
    this.#dropRecords()
    this.#taken.restartAt(begin)
    this.#flow()
    this.#draining?.()
    if (!mustClaim) return
    await this.#committing
    await this.#dropSink()
    if (!this.#isClosed()) void this.#claim({ seek: false })
  }

  /** The partition was taken away. Nothing more is started or committed; a running transaction ends or is fenced. */
  async revoke(): Promise<void> {
    this.#close()
    await this.#committing
    countRepeated(this.#options.metrics, this.#tracker.results)
    await this.#dropSink()
  }

  /** Starts no further records, commits those in progress, then closes. */
  async drain(): Promise<void> {
    if (this.#state === 'running') {
      await new Promise<void>((resolve) => {
        this.#draining = resolve
        this.#commitSoon()
      })
    }
    await this.revoke()
  }

  async #claim({ seek }: { seek: boolean }): Promise<void> {
    this.#state = 'claiming'
    const { topic, partition, claim } = this.#options
    const claimed = await claim(topic, partition)
    if (this.#isClosed()) {
      if (claimed.kind === 'claimed') await claimed.sink.close()
    } else if (claimed.kind === 'claimed') {
      this.#sink = claimed.sink
      if (this.#restartAt === null) this.#claimed(claimed.sink.committedOffset, seek)
      else await this.#restart(claimed.sink, this.#restartAt, seek)
    } else this.#retry.later(claimed.failure, this.#nextOffset, () => void this.#claim({ seek }))
  }

  /** The oldest offset without a committed output, as far as known. */
  get #nextOffset(): bigint {
    return this.#tracker.oldest?.offset ?? this.#taken.next
  }

  /** The previous owner is fenced, so the committed offset is final. */
  #claimed(committedOffset: bigint | null, seek: boolean): void {
    this.#state = 'running'
    this.#doubt.claimed(committedOffset)
    if (committedOffset !== null) {
      this.#tracker.committed(committedOffset)
      this.#taken.skipTo(committedOffset)
    }
    this.#retry.claimed({ isEmpty: this.#tracker.size === 0 })
    if (seek) this.#seek(committedOffset)
    this.#verify()
    this.#flow()
    this.#pump()
    this.#commitSoon()
  }

  async #restart(sink: OutputSink, begin: bigint, seek: boolean): Promise<void> {
    const outcome = await overwriteCommitted(sink, begin)
    if (this.#isClosed() || this.#sink !== sink) return
    if (outcome.kind === 'fenced') return this.#fenced()
    if (outcome.kind === 'committed') {
      if (this.#restartAt !== null && this.#restartAt !== begin)
        return this.#restart(sink, this.#restartAt, seek)
      this.#restartAt = null
      return this.#claimed(sink.committedOffset === null ? null : begin, seek)
    }
    await this.#dropSink()
    this.#retry.afterPublish(outcome.failure, begin, () => void this.#claim({ seek }))
  }

  /**
   * If reading began above the committed offset, because the group had an outdated position, the lane reads from the
   * committed offset. Checked once.
   */
  #verify(): void {
    const from = this.#taken.gapFrom(this.#sink?.committedOffset ?? null)
    if (from !== null) this.#seek(from)
  }

  #seek(offset: bigint | null): void {
    this.#dropRecords()
    this.#taken.restartAt(offset)
    this.#options.flow.seek(offset)
  }

  #pump(): void {
    const { processRecord, clock, onDefect, mayStartMore } = this.#options
    while (this.#state === 'running' && this.#draining === null) {
      if (this.#active >= ALWAYS_ACTIVE && !mayStartMore()) return
      const entry = this.#tracker.peek()
      if (entry === undefined) return
      const restMs = untilDueMs(entry.item, clock)
      if (restMs > 0) {
        this.#cancelDue?.()
        this.#cancelDue = clock.after(restMs, () => this.#pump())
        return
      }
      this.#tracker.begin()
      this.#active += 1
      const context = this.#context
      processRecord(entry.item, context).then((processed) => {
        this.#active -= 1
        entry.result = processed
        if (processed !== null && (this.#isClosed() || this.#context !== context))
          countRepeated(this.#options.metrics, [processed])
        this.#pump()
        this.#commitSoon()
      }, onDefect)
    }
  }

  /** A record whose call has started is finished; a record that waits for a permit gives up when the lane stops. */
  #newContext(): RecordContext {
    const { topic, partition } = this.#options
    const context: RecordContext = {
      partitionName: `${topic}:${partition}`,
      isWanted: () => this.#state !== 'closed' && this.#draining === null && this.#context === context,
      onCallStarting: () => this.#sink?.prepare(),
    }
    return context
  }

  /**
   * An idle lane commits at once. A busy lane collects records, because a transaction costs the same for one as for
   * hundreds.
   */
  #commitSoon(): void {
    if (this.#state !== 'running' || this.#committing !== null) return
    const finished = this.#tracker.oldest?.result ?? null
    if (finished === null) return this.#finishDraining()
    if (this.#draining !== null) return this.#commit()
    this.#commits.schedule({ active: this.#active, waiting: this.#tracker.waiting }, this.#commitNow)
  }

  #commit(): void {
    this.#commits.cancel()
    if (this.#state !== 'running' || this.#committing !== null || this.#sink === null) return
    const prefix = this.#tracker.prefix(this.#commits.limit, this.#mayCommit)
    if (prefix === null) return this.#finishDraining()
    this.#committing = this.#publish(this.#sink, prefix).finally(() => {
      this.#committing = null
      this.#commitSoon()
    })
  }

  readonly #mayCommit = ({ counts }: ProcessedRecord): boolean =>
    this.#options.deadLetterLimit.allows(counts, this.#retryCommit)

  readonly #retryCommit = (): void => this.#commitSoon()

  readonly #commitNow = (): void => this.#commit()

  async #publish(sink: OutputSink, prefix: Prefix<InputRecord, ProcessedRecord>): Promise<void> {
    const { clock, metrics } = this.#options
    const startedMs = clock.monotonicMs()
    const outputs = prefix.finished.flatMap((entry) => entry.result.outputs)
    const context = this.#context
    const outcome = await sink.publish(outputs, prefix.nextOffset)
    metrics.transaction(outcome.kind, (clock.monotonicMs() - startedMs) / 1000)
    // The log was replaced during the publish, and the replacement claims again.
    if (context !== this.#context && !this.#isClosed()) return
    switch (outcome.kind) {
      case 'committed':
        return this.#committed(prefix)
      case 'fenced':
        return this.#fenced()
      case 'failed':
        return this.#failed(prefix, outcome.failure)
      case 'refused':
        return this.#refused(prefix, outcome.failure)
    }
  }

  #committed({ finished, nextOffset }: Prefix<InputRecord, ProcessedRecord>): void {
    this.#tracker.committed(nextOffset)
    this.#count(finished)
    // The partition may have a new lane, which is responsible for pausing, lag and blocks.
    if (this.#isClosed()) return
    this.#commits.committed()
    this.#retry.committed()
    this.#flow()
    this.#pump()
  }

  async #fenced(): Promise<void> {
    await this.#dropSink()
    if (this.#isClosed()) return
    this.#retry.fenced()
    this.#state = 'fenced'
    this.#dropRecords()
    this.lag.measure(this.#tracker.oldest)
    this.#draining?.()
  }

  async #failed(prefix: Prefix<InputRecord, ProcessedRecord>, failure: Failure): Promise<void> {
    await this.#dropSink()
    if (this.#isClosed()) return
    this.#doubt.add(prefix)
    this.#state = 'claiming'
    this.#retry.afterPublish(failure, this.#nextOffset, () => void this.#claim({ seek: false }))
    // The next owner of the partition reads again what could not be published.
    this.#draining?.()
  }

  /** Halves the next transaction until the record with the rejected output is alone, and then replaces that output. */
  async #refused({ finished }: Prefix<InputRecord, ProcessedRecord>, failure: Failure): Promise<void> {
    await this.#dropSink()
    if (this.#isClosed()) return
    const alone = finished.length === 1 ? finished[0] : undefined
    this.#state = 'claiming'
    this.#commits.refused(finished.length)
    const claim = (): void => void this.#claim({ seek: false })
    if (alone !== undefined && !replaceRefused(alone, this.#options.outputs, failure))
      this.#retry.afterRefusal(failure, alone.offset, claim)
    else claim()
    this.#draining?.()
  }

  #count(finished: Prefix<InputRecord, ProcessedRecord>['finished']): void {
    countOutcomes(this.#options, finished, this.#options.clock.epochMs())
  }

  #flow(): void {
    this.#share.update({ records: this.#tracker.size, bytes: this.#tracker.bytes })
    this.lag.measure(this.#tracker.oldest)
  }

  #dropRecords(): void {
    countRepeated(this.#options.metrics, this.#tracker.results)
    this.#tracker.clear()
    this.#commits.reset()
    this.#context = this.#newContext()
  }

  #finishDraining(): void {
    if (this.#active === 0) this.#draining?.()
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #close(): void {
    this.#state = 'closed'
    this.#cancelDue?.()
    this.#commits.cancel()
    this.#retry.end()
    this.#share.release()
    this.#draining?.()
    this.#options.metrics.partitionLost(this.#options.topic, this.#options.partition)
  }

  #dropSink(): Promise<void> {
    const sink = this.#sink
    this.#sink = null
    return sink?.close() ?? Promise.resolve()
  }
}
