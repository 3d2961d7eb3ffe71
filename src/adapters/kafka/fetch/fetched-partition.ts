/** One assigned partition as the fetcher sees it: its read position and the known state of its log. */
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'

/**
 * The lookup that is needed before the partition can be read: the group's committed offset, the start of a
 * partition without one, the beginning of the log, why the broker does not have a position (`range`), whether it is
 * still the same log (`suspect`), or the beginning of the log that replaced it (`replaced`).
 */
export type Lookup = 'committed' | 'start' | 'earliest' | 'range' | 'suspect' | 'replaced'

export interface LogOffsets {
  readonly highWatermark: bigint
  readonly lastStable: bigint
}

const BACK_OFF_MS = { first: 50, max: 1_000 } as const

export class FetchedPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly key: string
  /** The offset to read next. Null while it must be looked up. */
  next: bigint | null = null
  lookup: Lookup | null = 'committed'
  /** The position that the lookup is about. */
  before: bigint | null = null
  isPaused = false
  /** The broker that leads it. -1 if none is known. */
  leader = -1
  log: LogOffsets | null = null
  /** The newest leader epoch in its records since the position was set. Epochs of a log never decrease. */
  epoch = -1
  /** The group had a committed offset for it at assignment. */
  hadCommitted = false
  /** Offsets below this one are known to be deleted. */
  lostUpTo = 0n
  #failures = 0
  #notBeforeMs = -Infinity

  constructor(of: TopicPartition) {
    this.topic = of.topic
    this.partition = of.partition
    this.key = partitionKey(of)
  }

  /** It has records that were not read, or that is not known yet. */
  get hasMore(): boolean {
    return this.log === null || this.next === null || this.next < this.log.highWatermark
  }

  moveTo(offset: bigint): void {
    this.next = offset
    this.lookup = null
  }

  lookUp(lookup: Lookup): void {
    this.before = this.next ?? this.before
    this.next = null
    this.lookup = lookup
  }

  mayBeAsked(nowMs: number): boolean {
    return nowMs >= this.#notBeforeMs
  }

  succeeded(): void {
    this.#failures = 0
    this.#notBeforeMs = -Infinity
  }

  /** Skips the partition for a while, longer each time. */
  failed(nowMs: number): void {
    this.#notBeforeMs = nowMs + Math.min(BACK_OFF_MS.first * 2 ** this.#failures, BACK_OFF_MS.max)
    this.#failures += 1
  }
}
