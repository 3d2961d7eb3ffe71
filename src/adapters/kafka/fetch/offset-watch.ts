/**
 * Watches what fetches do not report. The end of each log that is not fetched is requested every few seconds, so
 * that the lag is correct while partitions are paused. It also detects two problems that stop a partition without
 * an error: a leader that does not answer, and an open transaction in front of records. Each has a gauge, and a log
 * line when it begins and when it ends.
 */
import { partitionNames } from '../../../core/partitions/partition-names.ts'
import type { Clock, Log } from '../../../ports.ts'
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'
import { listOffsets } from '../broker-requests.ts'
import type { FetchedPartition } from './fetched-partition.ts'
import type { Broker } from '../kafkajs/internals.ts'

export interface OffsetWatchOptions {
  /** The assigned partitions. */
  readonly partitions: () => Iterable<FetchedPartition>
  /**
   * When the leader last reported everything it has for the partition, in monotonic milliseconds. Null while it is
   * not fetched.
   */
  readonly fetchedMs: (partition: FetchedPartition) => number | null
  readonly findBroker: (nodeId: number) => Promise<Broker>
  readonly addressOf: (nodeId: number) => string
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
  /** The known state of the log has changed. */
  readonly onProgress: (partition: FetchedPartition) => void
  readonly onLeaderSilent: (partition: TopicPartition, seconds: number | null) => void
  readonly onOpenTransaction: (partition: TopicPartition, seconds: number | null) => void
}

const EVERY_MS = 5_000
/** Longer than a leader change takes, and than two of our own requests. */
const SILENT_AFTER_MS = 12_000
/** Transactions of healthy producers end within seconds. */
const OPEN_AFTER_MS = 15_000

interface PartitionProblem extends TopicPartition {
  readonly address: string
}

interface Standing {
  readonly lastStable: bigint
  readonly sinceMs: number
}

export class OffsetWatch {
  readonly #options: OffsetWatchOptions
  /** When the leader last answered, by {@link id}. */
  readonly #heardMs = new Map<string, number>()
  readonly #standing = new Map<string, Standing>()
  readonly #silent = new Map<string, PartitionProblem>()
  readonly #open = new Map<string, TopicPartition>()
  /** Brokers with a request in flight. */
  readonly #asking = new Set<number>()
  #cancel: () => void = () => undefined

  constructor(options: OffsetWatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#cancel = this.#options.clock.after(EVERY_MS, () => {
      this.#look()
      this.start()
    })
  }

  /** Removes all gauges of this watch. */
  close(): void {
    const { onLeaderSilent, onOpenTransaction } = this.#options
    this.#cancel()
    for (const one of this.#silent.values()) onLeaderSilent(one, null)
    for (const one of this.#open.values()) onOpenTransaction(one, null)
    this.#silent.clear()
    this.#open.clear()
  }

  /** One message per current problem. */
  get warnings(): string[] {
    const silent = [...Map.groupBy(this.#silent.values(), ({ address }) => address)].map(
      ([address, all]) => `The leader ${address} of ${partitionNames(all)} does not answer.`,
    )
    return this.#open.size === 0
      ? silent
      : [...silent, `An open transaction of a producer blocks ${partitionNames([...this.#open.values()])}.`]
  }

  #look(): void {
    const { partitions, clock } = this.#options
    const all = [...partitions()]
    const nowMs = clock.monotonicMs()
    const owned = new Set(all.map(({ key }) => key))
    for (const map of [this.#heardMs, this.#standing]) {
      for (const key of map.keys()) if (!owned.has(key)) map.delete(key)
    }
    const unheard = all.filter((one) => nowMs - this.#heard(one, nowMs) >= EVERY_MS || !this.#isFetched(one))
    for (const [leader, of] of Map.groupBy(unheard, (one) => one.leader)) {
      if (leader >= 0) void this.#ask(leader, of)
    }
    this.#lookAtLeaders(all, nowMs)
    this.#lookAtTransactions(all, nowMs)
  }

  #isFetched(one: FetchedPartition): boolean {
    return this.#options.fetchedMs(one) !== null
  }

  /** Starts when the partition was first seen here. */
  #heard(one: FetchedPartition, nowMs: number): number {
    const heardMs = Math.max(this.#heardMs.get(one.key) ?? nowMs, this.#options.fetchedMs(one) ?? -Infinity)
    this.#heardMs.set(one.key, heardMs)
    return heardMs
  }

  /** At most one request at a time per broker. Brokers do not wait for each other. */
  async #ask(leader: number, partitions: readonly FetchedPartition[]): Promise<void> {
    if (this.#asking.has(leader)) return
    this.#asking.add(leader)
    const { findBroker, clock, onProgress } = this.#options
    try {
      const listed = await listOffsets(await findBroker(leader), partitions, 'latest')
      const ends = new Map(listed.map((one) => [partitionKey(one), one]))
      for (const one of partitions) {
        const end = ends.get(one.key)
        if (end?.errorCode !== 0) continue
        this.#heardMs.set(one.key, clock.monotonicMs())
        one.log = { lastStable: one.log?.lastStable ?? end.offset, highWatermark: end.offset }
        onProgress(one)
      }
    } catch {
      // The partitions keep their last answer time.
    } finally {
      this.#asking.delete(leader)
    }
  }

  #lookAtLeaders(all: readonly FetchedPartition[], nowMs: number): void {
    const { addressOf, onLeaderSilent, log } = this.#options
    const silent = all.filter((one) => nowMs - this.#heard(one, nowMs) >= SILENT_AFTER_MS)
    const begun: PartitionProblem[] = []
    for (const one of silent) {
      const { topic, partition, key } = one
      onLeaderSilent(one, (nowMs - this.#heard(one, nowMs)) / 1000)
      if (this.#silent.has(key)) continue
      const problem = { topic, partition, address: addressOf(one.leader) }
      this.#silent.set(key, problem)
      begun.push(problem)
    }
    for (const [address, of] of Map.groupBy(begun, (one) => one.address)) {
      log.warn(SILENT, { address, partitions: partitionNames(of), durationMs: SILENT_AFTER_MS })
    }
    const still = new Set(silent.map(({ key }) => key))
    const ended = [...this.#silent].filter(([key]) => !still.has(key))
    for (const [key, one] of ended) {
      this.#silent.delete(key)
      onLeaderSilent(one, null)
    }
    const ours = new Set(all.map(({ key }) => key))
    const back = ended.filter(([key]) => ours.has(key))
    for (const [address, of] of Map.groupBy(back, ([, one]) => one.address)) {
      log.info(ANSWERS, { address, partitions: partitionNames(of.map(([, one]) => one)) })
    }
  }

  #lookAtTransactions(all: readonly FetchedPartition[], nowMs: number): void {
    const { onOpenTransaction, log } = this.#options
    const open = all.filter((one) => nowMs - this.#standingSince(one, nowMs) >= OPEN_AFTER_MS)
    for (const one of open) {
      const { topic, partition, key } = one
      onOpenTransaction(one, (nowMs - this.#standingSince(one, nowMs)) / 1000)
      if (this.#open.has(key)) continue
      this.#open.set(key, { topic, partition })
      log.warn(OPEN, { topic, partition, offset: String(one.log?.lastStable ?? -1n) })
    }
    const still = new Set(open.map(({ key }) => key))
    const ours = new Set(all.map(({ key }) => key))
    for (const [key, one] of this.#open) {
      if (still.has(key)) continue
      this.#open.delete(key)
      onOpenTransaction(one, null)
      if (ours.has(key)) log.info(ENDED, { topic: one.topic, partition: one.partition })
    }
  }

  /** When records started to wait for the current open transaction. Now if none do. */
  #standingSince(one: FetchedPartition, nowMs: number): number {
    // The last stable offset is only known from fetches. While a partition is paused, only its end is requested.
    const log = this.#isFetched(one) ? one.log : null
    if (log === null || log.lastStable >= log.highWatermark || one.next !== log.lastStable) {
      this.#standing.delete(one.key)
      return nowMs
    }
    const { lastStable } = log
    const before = this.#standing.get(one.key)
    if (before?.lastStable === lastStable) return before.sinceMs
    this.#standing.set(one.key, { lastStable, sinceMs: nowMs })
    return nowMs
  }
}

const SILENT =
  'The leader of these partitions does not answer. Their events wait. The service keeps trying, and processes the other partitions. Check the broker and the network path to it.'
const ANSWERS = 'The leader of these partitions answers again.'
const OPEN =
  'An open transaction of a producer blocks records of this partition. It begins at `offset`, and the service cannot read later records until it ends. Check the producer. The broker aborts a transaction after its timeout. End a hanging one with kafka-transactions.sh (see the runbook, CheckResultOpenTransaction).'
const ENDED = 'The open transaction has ended. The service reads the records after it.'
