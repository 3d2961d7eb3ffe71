/**
 * The lanes of the partitions that are assigned to this member. On each assignment it opens lanes for new partitions,
 * closes those of removed ones and keeps the rest.
 */
import type { RecentTransactions } from '../core/recent-transactions.ts'
import type { LaneOptions } from './lane-options.ts'
import { Lane } from './lane.ts'
import type { PermitQueue } from './permit-queue.ts'
import type { InputRecord, Log, PartitionFlow } from '../ports.ts'

/** Partition numbers by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>

export interface LanesOptions {
  readonly lane: Omit<LaneOptions, 'topic' | 'partition' | 'delayMs' | 'flow' | 'mayStartMore'>
  /** The delay before records of this topic are due: 0 on the input topic. */
  readonly delayMs: (topic: string) => number
  readonly flow: (topic: string, partition: number) => PartitionFlow
  readonly recent: Pick<RecentTransactions, 'forgetPartition'>
  readonly permits: PermitQueue
  /** Records that wait for the registry. While there are any, no lane starts more than its guaranteed few. */
  readonly registryWaiting: () => number
  readonly log: Log
}

export class Lanes {
  readonly #options: LanesOptions
  readonly #lanes = new Map<string, Lane>()
  #memberId: string | null = null
  #draining = false

  constructor(options: LanesOptions) {
    this.#options = options
  }

  /** The partitions that have a lane. */
  get partitions(): { readonly topic: string; readonly partition: number }[] {
    return [...this.#lanes.keys()].map(partitionOf)
  }

  /** Records of all partitions without a committed output. */
  get lag(): number {
    let records = 0
    for (const lane of this.#lanes.values()) records += lane.lag.records
    return records
  }

  get backlog(): number {
    let records = 0
    for (const lane of this.#lanes.values()) records += lane.backlog
    return records
  }

  /** Partitions without a successful claim so far. */
  get unclaimed(): number {
    let lanes = 0
    for (const lane of this.#lanes.values()) if (lane.state !== 'running') lanes += 1
    return lanes
  }

  /** The group rebalances: no call starts until it is over. Calls in progress finish and are committed. */
  rebalancing(): void {
    this.#options.permits.pause('rebalance')
  }

  assigned(memberId: string, assignment: Assignment): void {
    // A member that kept its id missed no generation, so no other member owned its partitions in between. A new id may
    // have missed one.
    const isSameMember = memberId === this.#memberId
    this.#memberId = memberId
    const owned = new Set(
      Object.entries(assignment).flatMap(([topic, all]) => all.map((one) => id(topic, one))),
    )
    for (const [key, lane] of this.#lanes) {
      if (isSameMember && owned.has(key)) continue
      this.#lanes.delete(key)
      void lane.revoke()
    }
    this.#options.permits.sweep()
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) this.#open(topic, partition)
    }
    this.#options.permits.resume('rebalance')
  }

  /** The consumer is gone, and with it all partitions. */
  revokeAll(): void {
    for (const lane of this.#lanes.values()) void lane.revoke()
    this.#lanes.clear()
    this.#options.permits.sweep()
  }

  receive(topic: string, partition: number, records: readonly InputRecord[]): void {
    this.#lanes.get(id(topic, partition))?.receive(records)
  }

  progress(topic: string, partition: number, readUpTo: bigint, highWatermark: bigint): void {
    this.#lanes.get(id(topic, partition))?.progress(readUpTo, highWatermark)
  }

  /** The partition's log was replaced or truncated and now begins at this offset. */
  replaced(topic: string, partition: number, begin: bigint): void {
    if (this.#options.delayMs(topic) === 0) this.#options.recent.forgetPartition(partition)
    void this.#lanes.get(id(topic, partition))?.replaced(begin)
  }

  heartbeat(): void {
    for (const lane of this.#lanes.values()) lane.heartbeat()
  }

  /** Starts no further records and commits those in progress. */
  async drain(): Promise<void> {
    this.#draining = true
    const drained = [...this.#lanes.values()].map((lane) => lane.drain())
    this.#options.permits.sweep()
    await Promise.all(drained)
    this.#lanes.clear()
  }

  #open(topic: string, partition: number): void {
    const key = id(topic, partition)
    if (this.#draining || this.#lanes.has(key)) return
    const { lane, delayMs, flow, permits, registryWaiting } = this.#options
    const priority = delayMs(topic) === 0 ? 'fresh' : 'deferred'
    const opened = new Lane({
      ...lane,
      topic,
      partition,
      delayMs: delayMs(topic),
      flow: flow(topic, partition),
      mayStartMore: () => registryWaiting() === 0 && !permits.isSaturated(priority),
    })
    this.#lanes.set(key, opened)
    opened.start()
  }
}

function partitionOf(key: string): { readonly topic: string; readonly partition: number } {
  const colon = key.lastIndexOf(':')
  return { topic: key.slice(0, colon), partition: Number(key.slice(colon + 1)) }
}

function id(topic: string, partition: number): string {
  return `${topic}:${partition}`
}
