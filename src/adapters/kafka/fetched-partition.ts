/** One assigned partition as the fetcher sees it: where it is read next, and what is known of its log. */
import { id, type TopicPartition } from './batches.ts'

/**
 * What has to be asked before the partition can be read: the group's committed offset, where a partition without one starts, the
 * log's beginning, what became of a position the broker does not have (`range`), whether it is still the same log (`suspect`),
 * or where the log begins that has taken its place (`replaced`).
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
  /** The offset to read next; null while it has to be looked up. */
  next: bigint | null = null
  lookup: Lookup | null = 'committed'
  /** The position a lookup is about. */
  before: bigint | null = null
  isPaused = false
  /** Broker that leads it; -1 when none is known. */
  leader = -1
  log: LogOffsets | null = null
  /** The newest leader epoch seen in its records since it was moved: epochs of a log never go back. */
  epoch = -1
  /** The group had an offset for it when it was assigned. */
  hadCommitted = false
  /** Offsets below are known to be deleted. */
  lostUpTo = 0n
  #failures = 0
  #notBeforeMs = -Infinity

  constructor(of: TopicPartition) {
    this.topic = of.topic
    this.partition = of.partition
    this.key = id(of)
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

  /** It is left out for a while, longer each time. */
  failed(nowMs: number): void {
    this.#notBeforeMs = nowMs + Math.min(BACK_OFF_MS.first * 2 ** this.#failures, BACK_OFF_MS.max)
    this.#failures += 1
  }
}
