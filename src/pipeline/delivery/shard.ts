/**
 * The unit of ownership: all lanes with the same partition number modulo {@link SHARDS}, from claim to commit. It follows
 * the exactly-once protocol of DESIGN.md, "The delivery path": one transaction at a time has the finished prefixes of the
 * lanes and the offsets to read next.
 *
 * No record is output twice: a shard either commits before the next owner claims it, or its transaction is fenced. No
 * record is lost: it is either committed, or above the committed offset and therefore read again.
 *
 * Never throws. Failures at the brokers are retried until the shard is closed.
 */
import { partitionNames } from '../../core/partitions/partition-names.ts'
import { partitionKey, type TopicPartition } from '../../core/partitions/topic-partition.ts'
import type { ClaimShard, Clock, Failure, Log, Metrics, OutputSink } from '../../ports.ts'
import type { BlockedPartitions } from './blocked-partitions.ts'
import { CommitPolicy } from './commit-policy.ts'
import type { DeadLetterLimit } from '../dead-letters/dead-letter-limit.ts'
import type { LanePrefix } from './lane-records.ts'
import type { Lane } from './lane.ts'
import type { LaneOwner, ShardPhase } from './lane-options.ts'
import type { ProcessedRecord } from '../record/outputs.ts'
import { RetryTimer } from './retry-timer.ts'

export interface ShardOptions {
  /** 0 to 15. */
  readonly shard: number
  readonly claim: ClaimShard
  readonly createLane: (of: TopicPartition, owner: LaneOwner) => Lane
  readonly deadLetterLimit: Pick<DeadLetterLimit, 'allows'>
  readonly blocked: Pick<BlockedPartitions, 'block' | 'clear' | 'forget'>
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Log
}

/** The part of a lane in a transaction. */
interface Part {
  readonly lane: Lane
  readonly prefix: LanePrefix
}

export class Shard implements LaneOwner {
  readonly #options: ShardOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #commits: CommitPolicy
  readonly #claimRetry: RetryTimer
  #phase: ShardPhase = 'claiming'
  /** The claim that is under way. If the lanes have changed since it was started, another one must follow. */
  #claiming: { isOutdated: boolean } | null = null
  #sink: OutputSink | null = null
  #committing: Promise<void> | null = null
  /** The last transaction failed. */
  #lastFailed = false
  #drained: () => void = () => undefined

  constructor(options: ShardOptions) {
    this.#options = options
    this.#commits = new CommitPolicy(options.clock)
    this.#claimRetry = new RetryTimer(options.clock)
  }

  get phase(): ShardPhase {
    return this.#phase
  }

  get lanes(): Iterable<Lane> {
    return this.#lanes.values()
  }

  committedOffset(lane: TopicPartition): bigint | null {
    return this.#sink?.committedOffset(lane) ?? null
  }

  prepare(partition: number): void {
    this.#sink?.prepare(partition)
  }

  /**
   * Keeps these partitions, opens lanes for new ones and closes the others. Claims at once and not with the first record,
   * because a dead owner's open transaction blocks read_committed readers.
   */
  assign(partitions: readonly TopicPartition[]): void {
    const wanted = new Set(partitions.map(partitionKey))
    const removed = [...this.#lanes.values()].filter((lane) => !wanted.has(partitionKey(lane)))
    for (const lane of removed) {
      this.#lanes.delete(partitionKey(lane))
      lane.close()
    }
    void this.#countRepeated(removed)
    const added = partitions.filter((one) => !this.#lanes.has(partitionKey(one)))
    for (const one of added) {
      const lane = this.#options.createLane(one, this)
      if (this.#phase === 'fenced') lane.fenced()
      this.#lanes.set(partitionKey(one), lane)
    }
    if (added.length > 0) this.#claimAgain()
  }

  /** The lane's log was replaced or truncated and now begins at this offset. */
  replaced(of: TopicPartition, begin: bigint): void {
    const lane = this.#lanes.get(partitionKey(of))
    if (lane === undefined) return
    lane.replaced(begin)
    this.#claimAgain()
  }

  /** A heartbeat was accepted, so this replica is still in the group and a fenced shard may be claimed again. */
  heartbeat(): void {
    if (this.#phase !== 'fenced') return
    this.#phase = 'claiming'
    this.advance()
  }

  /** The shard was taken away. Nothing more is started or committed; a running transaction ends or is fenced. */
  async revoke(): Promise<void> {
    this.#leave('closed')
    this.#claimRetry.reset()
    for (const lane of this.#lanes.values()) lane.close()
    await this.#countRepeated([...this.#lanes.values()])
    await this.#dropSink()
  }

  /** Starts no further records, commits those in progress, then closes. */
  async drain(): Promise<void> {
    if (this.#phase === 'running') {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
        this.#phase = 'draining'
        this.advance()
      })
    }
    await this.revoke()
  }

  /** Starts what can be done now: a claim, or a commit. Called after every change. */
  advance(): void {
    if (this.#committing !== null) return
    if (this.#phase === 'claiming') {
      if (this.#claiming === null && !this.#claimRetry.isWaiting) void this.#claim()
    } else if (this.#phase === 'running' || this.#phase === 'draining') this.#commitSoon()
  }

  /** A transaction that is under way may still commit records of these closed lanes. */
  async #countRepeated(closed: readonly Lane[]): Promise<void> {
    await this.#committing
    for (const lane of closed) lane.countRepeated()
  }

  /** The lanes have changed, so the claim no longer has all their committed offsets. */
  #claimAgain(): void {
    if (this.#claiming !== null) this.#claiming.isOutdated = true
    if (this.#phase === 'running') this.#leave('claiming')
    this.advance()
  }

  async #claim(): Promise<void> {
    const claiming = { isOutdated: false }
    this.#claiming = claiming
    await this.#dropSink()
    const claimed = await this.#options.claim(this.#options.shard, [...this.#lanes.values()])
    if (claimed.kind === 'claimed') {
      this.#sink = claimed.sink
      if (this.#phase === 'closed') return this.#dropSink()
      const failure = await this.#overwriteReplaced(claimed.sink)
      if (failure !== null) this.#claimLater(failure)
    } else this.#claimLater(claimed.failure)
    this.#claiming = null
    if (this.#phase === 'closed') return this.#dropSink()
    if (this.#phase === 'claiming' && !this.#claimRetry.isWaiting && !claiming.isOutdated) this.#run()
    this.advance()
  }

  /**
   * Replaces the committed offsets of logs that no longer exist, so that no later owner applies them to the new logs.
   * Returns why that failed; null if it succeeded or the shard was fenced.
   */
  async #overwriteReplaced(sink: OutputSink): Promise<Failure | null> {
    const offsets = [...this.#lanes.values()].flatMap(({ topic, partition, replacedAt }) =>
      replacedAt === null || sink.committedOffset({ topic, partition }) === null
        ? []
        : [{ topic, partition, nextOffset: replacedAt }],
    )
    if (offsets.length === 0) return null
    const outcome = await sink.publish([], offsets)
    if (outcome.kind === 'fenced') await this.#fenced()
    return outcome.kind === 'failed' || outcome.kind === 'refused' ? outcome.failure : null
  }

  /** The previous owner is fenced, so the committed offsets are final. */
  #run(): void {
    this.#phase = 'running'
    this.#claimRetry.reset()
    for (const lane of this.#lanes.values()) {
      const committed = this.committedOffset(lane)
      lane.claimed(committed === null ? null : (lane.replacedAt ?? committed))
    }
  }

  #claimLater(failure: Failure): void {
    if (this.#phase === 'closed') return
    const { blocked } = this.#options
    for (const lane of this.#lanes.values()) {
      const { topic, partition, nextOffset: offset } = lane
      blocked.block({ topic, partition, offset, failure })
    }
    this.#claimRetry.start(failure, this.#advanceLater)
  }

  /**
   * An idle shard commits at once. A busy shard collects records, because a transaction costs the same for one as for
   * hundreds.
   */
  #commitSoon(): void {
    let [active, waiting, hasFinished] = [0, 0, false]
    for (const lane of this.#lanes.values()) {
      const { load } = lane
      active += load.active
      waiting += load.waiting
      if (this.#phase === 'running' && this.#commits.isCollecting({ active, waiting })) return
      hasFinished ||= lane.hasFinished
    }
    if (this.#phase === 'draining') return this.#commitOrDrain(active)
    if (hasFinished) this.#commits.schedule({ active, waiting }, this.#commitNow)
  }

  readonly #commitNow = (): void => void this.#commit()

  #commitOrDrain(active: number): void {
    if (!this.#commit() && active === 0) this.#drained()
  }

  /** Returns whether there was something to commit. */
  #commit(): boolean {
    this.#commits.cancel()
    if (this.#committing !== null || this.#sink === null) return false
    const parts = this.#parts()
    if (parts.length === 0) return false
    this.#committing = this.#publish(this.#sink, parts).finally(() => {
      this.#committing = null
      this.advance()
    })
    return true
  }

  /**
   * The parts of the next transaction. A lane whose last transaction failed is committed alone. It takes turns with the
   * others, because a failure may take long.
   */
  #parts(): readonly Part[] {
    const parts: Part[] = []
    let suspect: Part | null = null
    let left = this.#commits.limit
    for (const lane of this.#lanes.values()) {
      if (left === 0) break
      if (!lane.hasFinished || (lane.retry.isSuspect && suspect !== null)) continue
      const prefix = lane.prefix(left, this.#mayCommit)
      if (prefix === null) continue
      if (lane.retry.isSuspect) suspect = { lane, prefix }
      else {
        parts.push({ lane, prefix })
        left -= prefix.finished.length
      }
    }
    return suspect === null || (this.#lastFailed && parts.length > 0) ? parts : [suspect]
  }

  readonly #mayCommit = ({ counts }: ProcessedRecord): boolean =>
    this.#options.deadLetterLimit.allows(counts, this.#advanceLater)

  readonly #advanceLater = (): void => this.advance()

  async #publish(sink: OutputSink, parts: readonly Part[]): Promise<void> {
    const { clock, metrics } = this.#options
    const startedMs = clock.monotonicMs()
    const outputs = parts.flatMap(({ prefix }) => prefix.finished.flatMap(({ result }) => result.outputs))
    const offsets = parts.map(({ lane: { topic, partition }, prefix: { nextOffset } }) => ({
      topic,
      partition,
      nextOffset,
    }))
    const outcome = await sink.publish(outputs, offsets)
    metrics.transaction(outcome.kind, (clock.monotonicMs() - startedMs) / 1000)
    switch (outcome.kind) {
      case 'committed':
        return this.#committed(parts)
      case 'fenced':
        return this.#fenced()
      case 'failed':
        return this.#failed(parts, outcome.failure)
      case 'refused':
        return this.#refused(parts, outcome.failure)
    }
  }

  #committed(parts: readonly Part[]): void {
    const isFull = recordsOf(parts) >= this.#commits.limit
    this.#commits.committed()
    this.#lastFailed = false
    for (const { lane, prefix } of parts) {
      lane.committed(prefix)
      if (isFull) this.#moveToEnd(lane)
    }
  }

  /** The other lanes come first in the next transaction. */
  #moveToEnd(lane: Lane): void {
    const key = partitionKey(lane)
    // The partition may have been removed, or have a new lane.
    if (this.#lanes.get(key) !== lane) return
    this.#lanes.delete(key)
    this.#lanes.set(key, lane)
  }

  async #fenced(): Promise<void> {
    await this.#dropSink()
    if (this.#phase === 'closed') return
    this.#leave('fenced')
    for (const lane of this.#lanes.values()) lane.fenced()
    this.#options.log.warn(
      'Another group member has claimed these partitions. This replica stops processing them until a heartbeat confirms the assignment.',
      { partitions: partitionNames([...this.#lanes.values()]) },
    )
  }

  /** The outcome is unknown until the shard is claimed again. */
  #failed(parts: readonly Part[], failure: Failure): void {
    if (this.#phase === 'closed') return
    const { code, message: detail } = failure
    if (parts.some(({ lane }) => !lane.retry.isSuspect))
      this.#options.log.warn(
        'Outputs could not be written. The service claims the partitions again and retries.',
        {
          partitions: partitionNames(parts.map(({ lane }) => lane)),
          code,
          detail,
        },
      )
    for (const { lane } of parts) {
      lane.retry.failed(failure, lane.nextOffset, { alone: parts.length === 1, retry: this.#advanceLater })
      this.#moveToEnd(lane)
    }
    this.#lastFailed = true
    this.#leave('claiming')
  }

  /** Halves the next transaction until the record with the rejected output is alone, and then replaces that output. */
  #refused(parts: readonly Part[], failure: Failure): void {
    const records = recordsOf(parts)
    this.#commits.refused(records)
    const [first] = parts
    if (this.#phase === 'closed' || first === undefined || records > 1) return
    const { lane, prefix } = first
    if (!lane.replaceRefused(prefix, failure))
      lane.retry.refused(failure, lane.nextOffset, this.#advanceLater)
  }

  /** Nothing more can be committed as it is. This ends a drain: the next owner reads again what is not committed. */
  #leave(phase: 'claiming' | 'fenced' | 'closed'): void {
    this.#phase = this.#phase === 'draining' ? 'closed' : phase
    this.#commits.cancel()
    if (phase === 'fenced') this.#commits.reset()
    this.#drained()
  }

  async #dropSink(): Promise<void> {
    const sink = this.#sink
    this.#sink = null
    await sink?.close()
  }
}

function recordsOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { prefix }) => sum + prefix.finished.length, 0)
}
