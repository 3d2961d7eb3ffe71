/**
 * One input partition from claim to commit: the exactly-once protocol of DESIGN.md, "Delivery".
 *
 *   claiming → running ⇄ claiming (own failure)
 *                 ↓
 *              fenced → claiming (a heartbeat newer than the fence: the partition is still ours)
 *   any → closed (revoked, or drained)
 *
 * Either a lane commits before the next owner claims the partition, or its transaction is fenced: no record comes out
 * twice. Either a record is committed, or the committed offset stands below it and it is read again: none is lost.
 *
 * Never throws; what fails at the brokers is tried again until the lane is closed.
 */
import { ClaimRetry } from './claim-retry.ts'
import { CommitPolicy } from './commit-policy.ts'
import { countOutcomes, countRepeated } from './count-outcome.ts'
import { delivered, sizeBytes, untilDueMs, type Delivered } from './delivered.ts'
import type { LaneOptions } from './lane-options.ts'
import { OffsetTracker, type Prefix } from './offset-tracker.ts'
import { replaceRefused, type Settled } from './outputs.ts'
import { PartitionLag } from './partition-lag.ts'
import type { LaneShare } from './record-budget.ts'
import type { RecordLife } from './settle.ts'
import type { Failure, InputRecord, OutputLog } from '../ports.ts'

type State = 'claiming' | 'running' | 'fenced' | 'closed'

/** Records a lane may always have under way. More only while few wait for permits: waiting costs memory and wins nothing. */
const ALWAYS_ACTIVE = 16

export class Lane {
  readonly #options: LaneOptions
  readonly #share: LaneShare
  readonly #commits: CommitPolicy
  readonly #retry: ClaimRetry
  readonly #lag: PartitionLag
  readonly #tracker = new OffsetTracker<Delivered, Settled>(sizeBytes)
  #state: State = 'claiming'
  #log: OutputLog | null = null
  #lastDelivered: bigint | null = null
  /** Where the first delivery began: at or below the committed offset, else records were left out. */
  #firstDelivered: bigint | null = null
  /** What came since is without a hole; a claim after a failure of our own need not ask again. */
  #verified = false
  #committing: Promise<void> | null = null
  #draining: (() => void) | null = null
  /** Records being settled right now. */
  #active = 0
  /** Another from when everything in hand is dropped: what is still being settled then is not wanted any more. */
  #life: RecordLife
  #cancelDue: (() => void) | null = null
  /** What an interrupted transaction would have committed: the next claim tells whether it did. */
  #inDoubt: Prefix<InputRecord, Settled> | null = null

  constructor(options: LaneOptions) {
    this.#options = options
    this.#share = options.budget.share(options.flow)
    this.#commits = new CommitPolicy(options.clock)
    this.#retry = new ClaimRetry(options)
    this.#lag = new PartitionLag(options)
    this.#life = this.#newLife()
  }

  get backlog(): number {
    return this.#tracker.size
  }

  get state(): State {
    return this.#state
  }

  /** Claims at once, not on the first record: a dead owner's open transaction holds back read_committed readers. */
  start(): void {
    void this.#claim({ seek: false })
  }

  /** Takes over records as delivered; those delivered before are recognised by their offset and dropped. */
  deliver(records: readonly InputRecord[]): void {
    if (this.#state === 'closed' || this.#state === 'fenced') return
    let repeated = 0
    for (const record of records) {
      this.#firstDelivered ??= record.offset
      if (this.#lastDelivered !== null && record.offset <= this.#lastDelivered) repeated += 1
      else this.#track(record)
    }
    const { topic, metrics } = this.#options
    metrics.consumed(topic, records.length - repeated)
    if (repeated > 0) metrics.redelivered(repeated)
    if (this.#state === 'running') this.#verify()
    this.#flow()
    this.#pump()
  }

  /** How far the partition goes, and how far it has been read: for the lag. */
  progress(readUpTo: bigint, highWatermark: bigint): void {
    this.#lag.progress(readUpTo, highWatermark)
    this.#measure()
  }

  /** A heartbeat was accepted: the group still counts us in, so a fenced lane may claim again. */
  heartbeat(): void {
    if (this.#state === 'fenced') void this.#claim({ seek: true })
  }

  /** The partition is not ours any more. Nothing further is started or committed; a running transaction ends or is fenced. */
  async revoke(): Promise<void> {
    this.#close()
    await this.#committing
    countRepeated(this.#options.metrics, this.#tracker.results)
    await this.#dropLog()
  }

  /** Starts nothing further, commits what is in flight, then closes. */
  async drain(): Promise<void> {
    if (this.#state === 'running') {
      await new Promise<void>((resolve) => {
        this.#draining = resolve
        this.#commitSoon()
      })
    }
    await this.revoke()
  }

  #track(record: InputRecord): void {
    this.#lastDelivered = record.offset
    this.#tracker.deliver(record.offset, delivered(record, this.#options))
  }

  async #claim({ seek }: { seek: boolean }): Promise<void> {
    this.#state = 'claiming'
    const { topic, partition, claim } = this.#options
    const claimed = await claim(topic, partition)
    if (this.#isClosed()) {
      if (claimed.kind === 'claimed') await claimed.log.close()
    } else if (claimed.kind === 'claimed') {
      this.#log = claimed.log
      this.#claimed(claimed.log.committedOffset, seek)
    } else this.#retry.later(claimed.failure, this.#nextOffset, () => void this.#claim({ seek }))
  }

  /** The oldest offset without a committed output, as far as it is known. */
  get #nextOffset(): bigint {
    return this.#tracker.oldest?.offset ?? (this.#lastDelivered === null ? 0n : this.#lastDelivered + 1n)
  }

  /** Nobody else can commit for this partition any more: what was read is final. */
  #claimed(committedOffset: bigint | null, seek: boolean): void {
    this.#state = 'running'
    this.#settleDoubt(committedOffset)
    if (committedOffset !== null) this.#skipTo(committedOffset)
    this.#retry.claimed({ isEmpty: this.#tracker.size === 0 })
    if (seek) this.#seek(committedOffset)
    this.#verify()
    this.#flow()
    this.#measure()
    this.#pump()
    this.#commitSoon()
  }

  /** A member with an outdated position would leave a hole: the lane reads again from the committed offset, once. */
  #verify(): void {
    if (this.#verified || this.#firstDelivered === null) return
    this.#verified = true
    const from = this.#log?.committedOffset ?? null
    if (from !== null && this.#firstDelivered > from) this.#seek(from)
  }

  /** What is below is out, whether it has been delivered or is still to come. */
  #skipTo(nextOffset: bigint): void {
    this.#tracker.committed(nextOffset)
    if (this.#lastDelivered === null || this.#lastDelivered < nextOffset)
      this.#lastDelivered = nextOffset - 1n
  }

  #seek(offset: bigint | null): void {
    this.#verified = true
    this.#dropRecords()
    this.#lastDelivered = offset === null ? null : offset - 1n
    this.#options.flow.seek(offset)
  }

  #pump(): void {
    const { settle, clock, onDefect, mayCrowd } = this.#options
    while (this.#state === 'running' && this.#draining === null) {
      if (this.#active >= ALWAYS_ACTIVE && !mayCrowd()) return
      const entry = this.#tracker.peek()
      if (entry === undefined) return
      const restMs = untilDueMs(entry.item, clock)
      if (restMs > 0) return this.#pumpIn(restMs)
      this.#tracker.begin()
      this.#active += 1
      const life = this.#life
      settle(entry.item, life).then((settled) => {
        this.#active -= 1
        entry.result = settled
        if (settled !== null && (this.#isClosed() || this.#life !== life))
          countRepeated(this.#options.metrics, [settled])
        this.#pump()
        this.#commitSoon()
      }, onDefect)
    }
  }

  /** A record already calling goes on to its end; one still waiting for a permit gives up when the lane stops. */
  #newLife(): RecordLife {
    const { topic, partition } = this.#options
    const life: RecordLife = {
      source: `${topic}:${partition}`,
      wanted: () => this.#state !== 'closed' && this.#draining === null && this.#life === life,
      calling: () => this.#log?.prepare(),
    }
    return life
  }

  #pumpIn(waitMs: number): void {
    this.#cancelDue?.()
    this.#cancelDue = this.#options.clock.after(waitMs, () => this.#pump())
  }

  /** An idle lane commits at once; a busy one gathers, for the transaction costs the same for one record or hundreds. */
  #commitSoon(): void {
    if (this.#state !== 'running' || this.#committing !== null) return
    const finished = this.#tracker.oldest?.result ?? null
    if (finished === null) return this.#finishDraining()
    if (this.#draining !== null) return this.#commit()
    this.#commits.soon({ active: this.#active, waiting: this.#tracker.waiting }, this.#commitNow)
  }

  #commit(): void {
    this.#commits.cancel()
    if (this.#state !== 'running' || this.#committing !== null || this.#log === null) return
    const prefix = this.#tracker.prefix(this.#commits.limit, this.#passes)
    if (prefix === null) return this.#finishDraining()
    this.#committing = this.#publish(this.#log, prefix).finally(() => {
      this.#committing = null
      this.#commitSoon()
    })
  }

  readonly #passes = ({ counts }: Settled): boolean => this.#options.brake.passes(counts, this.#commitAgain)

  readonly #commitAgain = (): void => this.#commitSoon()

  readonly #commitNow = (): void => this.#commit()

  async #publish(log: OutputLog, prefix: Prefix<InputRecord, Settled>): Promise<void> {
    const { clock, metrics } = this.#options
    const startedMs = clock.monotonicMs()
    const outputs = prefix.finished.flatMap((entry) => entry.result.outputs)
    const outcome = await log.publish(outputs, prefix.nextOffset)
    metrics.transaction(outcome.kind, (clock.monotonicMs() - startedMs) / 1000)
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

  #committed({ finished, nextOffset }: Prefix<InputRecord, Settled>): void {
    this.#tracker.committed(nextOffset)
    this.#commits.committed()
    this.#retry.committed()
    countOutcomes(this.#options, finished, this.#options.clock.epochMs())
    this.#flow()
    this.#measure()
    this.#pump()
  }

  async #fenced(): Promise<void> {
    await this.#dropLog()
    if (this.#isClosed()) return
    const { topic, partition, log } = this.#options
    log.warn('Another member has claimed a partition; waiting for the group to say whose it is.', {
      topic,
      partition,
    })
    this.#state = 'fenced'
    this.#dropRecords()
    this.#measure()
    this.#draining?.()
  }

  async #failed(prefix: Prefix<InputRecord, Settled>, failure: Failure): Promise<void> {
    await this.#dropLog()
    if (this.#isClosed()) return
    this.#inDoubt = prefix
    this.#state = 'claiming'
    this.#retry.afterPublish(failure, this.#nextOffset, () => void this.#claim({ seek: false }))
    // What could not be published is read again by the next owner of the partition.
    this.#draining?.()
  }

  /** Half as many next time, until the record is alone whose output is refused: that output is replaced. */
  async #refused({ finished }: Prefix<InputRecord, Settled>, failure: Failure): Promise<void> {
    await this.#dropLog()
    if (this.#isClosed()) return
    const [first] = finished
    this.#state = 'claiming'
    this.#commits.refused(finished.length)
    const claim = (): void => void this.#claim({ seek: false })
    if (
      finished.length === 1 &&
      first !== undefined &&
      !replaceRefused(first, this.#options.outputs, failure)
    )
      this.#retry.afterRefusal(failure, first.offset, claim)
    else claim()
    this.#draining?.()
  }

  #settleDoubt(committedOffset: bigint | null): void {
    const doubt = this.#inDoubt
    this.#inDoubt = null
    if (doubt !== null && committedOffset !== null && committedOffset >= doubt.nextOffset)
      countOutcomes(this.#options, doubt.finished, this.#options.clock.epochMs())
  }

  #flow(): void {
    this.#share.holds({ records: this.#tracker.size, bytes: this.#tracker.weight })
  }

  #measure(): void {
    this.#lag.measure(this.#tracker.oldest)
  }

  #dropRecords(): void {
    countRepeated(this.#options.metrics, this.#tracker.results)
    this.#tracker.clear()
    this.#commits.reset()
    this.#life = this.#newLife()
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

  async #dropLog(): Promise<void> {
    const log = this.#log
    this.#log = null
    await log?.close()
  }
}
