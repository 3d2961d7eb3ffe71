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
import { isPlausibleTime } from '../core/plausible-time.ts'
import { safeError } from '../core/safe-error.ts'
import { BackPressure } from './back-pressure.ts'
import type { Brake } from './brake.ts'
import { countOutcomes, countRepeated } from './count-outcome.ts'
import type { DeadLetterNotices } from './dead-letter-notices.ts'
import { delivered, sizeBytes, untilDueMs, type Delivered } from './delivered.ts'
import { OffsetTracker, type Prefix } from './offset-tracker.ts'
import type { Settled } from './outputs.ts'
import type { RecordLife, Settle } from './settle.ts'
import type { ClaimPartition, Clock, InputRecord, Log, Metrics, OutputLog, PartitionFlow } from '../ports.ts'

export interface LaneOptions {
  readonly topic: string
  readonly partition: number
  /** A record is not started before its timestamp plus this; 0 on the input topic. */
  readonly delayMs: number
  readonly claim: ClaimPartition
  readonly settle: Settle
  readonly brake: Pick<Brake, 'passes'>
  readonly flow: PartitionFlow
  /** Whether more records than a lane's own few may wait. */
  readonly mayCrowd: () => boolean
  readonly clock: Clock
  readonly metrics: Metrics
  readonly deadLetterNotices: Pick<DeadLetterNotices, 'add'>
  readonly log: Log
  /** A defect in a step: the process must not go on as if nothing had happened. */
  readonly onDefect: (error: unknown) => void
}

type State = 'claiming' | 'running' | 'fenced' | 'closed'

/** Records a lane may always have under way. More only while few wait for permits: waiting costs memory and wins nothing. */
const ALWAYS_ACTIVE = 16
/** Most records in one transaction. */
const COMMIT_MOST = 500
/** Unfinished records in hand up to which a lane counts as idle: it commits at once, there is nothing to wait for. */
const IDLE_UP_TO = 8
/** How long a busy lane gathers outputs for one transaction; longer while records wait that have not been started. */
const LINGER_MS = { busy: 50, backlog: 200 } as const
const CLAIM_BACK_OFF_MS = { first: 100, most: 1_000 } as const

export class Lane {
  readonly #options: LaneOptions
  readonly #pressure: BackPressure
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
  #cancelLinger: (() => void) | null = null
  #cancelDue: (() => void) | null = null
  #cancelClaim: (() => void) | null = null
  #claimBackOffMs: number = CLAIM_BACK_OFF_MS.first
  /** What an interrupted transaction would have committed: the next claim tells whether it did. */
  #inDoubt: Prefix<InputRecord, Settled> | null = null
  #highWatermark = 0n
  #readUpTo = 0n

  constructor(options: LaneOptions) {
    this.#options = options
    this.#pressure = new BackPressure(options.flow)
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
    this.#readUpTo = readUpTo
    this.#highWatermark = highWatermark
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
    const { topic, partition, claim, log, clock } = this.#options
    try {
      const outputLog = await claim(topic, partition)
      if (this.#isClosed()) {
        await outputLog.close()
        return
      }
      this.#log = outputLog
      this.#claimBackOffMs = CLAIM_BACK_OFF_MS.first
      this.#claimed(outputLog.committedOffset, seek)
    } catch (error) {
      if (this.#isClosed()) return
      log.warn('Could not claim a partition; trying again.', { topic, partition, ...safeError(error) })
      this.#cancelClaim = clock.after(this.#claimBackOffMs, () => void this.#claim({ seek }))
      this.#claimBackOffMs = Math.min(this.#claimBackOffMs * 2, CLAIM_BACK_OFF_MS.most)
    }
  }

  /** Nobody else can commit for this partition any more: what was read is final. */
  #claimed(committedOffset: bigint | null, seek: boolean): void {
    this.#state = 'running'
    this.#settleDoubt(committedOffset)
    if (committedOffset !== null) this.#skipTo(committedOffset)
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
    const { waiting } = this.#tracker
    if (this.#active + waiting <= IDLE_UP_TO || this.#draining !== null) return this.#commit()
    const lingerMs = waiting > 0 ? LINGER_MS.backlog : LINGER_MS.busy
    this.#cancelLinger ??= this.#options.clock.after(lingerMs, () => this.#commit())
  }

  #commit(): void {
    this.#cancelLinger?.()
    this.#cancelLinger = null
    if (this.#state !== 'running' || this.#committing !== null || this.#log === null) return
    const prefix = this.#tracker.prefix(COMMIT_MOST, this.#passes)
    if (prefix === null) return this.#finishDraining()
    this.#committing = this.#publish(this.#log, prefix).finally(() => {
      this.#committing = null
      this.#commitSoon()
    })
  }

  readonly #passes = ({ counts }: Settled): boolean => this.#options.brake.passes(counts, this.#commitAgain)

  readonly #commitAgain = (): void => this.#commitSoon()

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
        return this.#failed(prefix, outcome.message)
    }
  }

  #committed({ finished, nextOffset }: Prefix<InputRecord, Settled>): void {
    this.#tracker.committed(nextOffset)
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

  async #failed(prefix: Prefix<InputRecord, Settled>, detail: string): Promise<void> {
    await this.#dropLog()
    if (this.#isClosed()) return
    const { topic, partition, log } = this.#options
    log.warn('Outputs could not be published; claiming the partition anew.', { topic, partition, detail })
    this.#inDoubt = prefix
    void this.#claim({ seek: false })
  }

  #settleDoubt(committedOffset: bigint | null): void {
    const doubt = this.#inDoubt
    this.#inDoubt = null
    if (doubt !== null && committedOffset !== null && committedOffset >= doubt.nextOffset)
      countOutcomes(this.#options, doubt.finished, this.#options.clock.epochMs())
  }

  #flow(): void {
    this.#pressure.inHand(this.#tracker.size, this.#tracker.weight)
  }

  #measure(): void {
    const { metrics, topic, partition } = this.#options
    const oldest = this.#tracker.oldest
    const from = oldest?.offset ?? this.#readUpTo
    metrics.lag(topic, partition, Number(this.#highWatermark > from ? this.#highWatermark - from : 0n))
    const timestampMs = oldest?.item.timestampMs ?? null
    const isPlausible = timestampMs !== null && isPlausibleTime(timestampMs, this.#options.clock.epochMs())
    metrics.oldestUnsettled(topic, partition, isPlausible ? timestampMs : null)
  }

  #dropRecords(): void {
    countRepeated(this.#options.metrics, this.#tracker.results)
    this.#tracker.clear()
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
    for (const cancel of [this.#cancelLinger, this.#cancelDue, this.#cancelClaim]) cancel?.()
    this.#pressure.release()
    this.#draining?.()
    this.#options.metrics.partitionLost(this.#options.topic, this.#options.partition)
  }

  async #dropLog(): Promise<void> {
    const log = this.#log
    this.#log = null
    await log?.close()
  }
}
