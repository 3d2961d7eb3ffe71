/**
 * The shards that are assigned to this member. On each assignment it opens new shards, closes removed ones and keeps the
 * rest.
 */
import type { RecentTransactions } from '../../core/records/recent-transactions.ts'
import { shardOf } from '../../core/partitions/shards.ts'
import { partitionKey, type TopicPartition } from '../../core/partitions/topic-partition.ts'
import type { InputRecord, PartitionFlow } from '../../ports.ts'
import type { LaneOptions } from './lane-options.ts'
import { Lane } from './lane.ts'
import type { PermitQueue } from '../calls/permit-queue.ts'
import { Shard, type ShardOptions } from './shard.ts'

/** Partition numbers by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>

export interface ShardsOptions
  extends
    Omit<ShardOptions, 'shard' | 'createLane'>,
    Omit<LaneOptions, 'topic' | 'partition' | 'owner' | 'delayMs' | 'flow' | 'mayStartMore'> {
  /** The delay before records of this topic are due: 0 on the input topic. */
  readonly delayMs: (topic: string) => number
  readonly flow: (topic: string, partition: number) => PartitionFlow
  readonly recent: Pick<RecentTransactions, 'forgetPartition'>
  readonly permits: PermitQueue
  /** Records that wait for the registry. While there are any, no lane starts more than its guaranteed few. */
  readonly registryWaiting: () => number
}

export class Shards {
  readonly #options: ShardsOptions
  readonly #shards = new Map<number, Shard>()
  /** The lanes of all shards. */
  #lanes: ReadonlyMap<string, Lane> = new Map()
  #memberId: string | null = null
  #draining = false

  constructor(options: ShardsOptions) {
    this.#options = options
  }

  /** The partitions that have a lane. */
  get partitions(): readonly TopicPartition[] {
    return [...this.#lanes.values()]
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
    for (const shard of this.#shards.values()) if (shard.phase !== 'running') lanes += [...shard.lanes].length
    return lanes
  }

  /** The group rebalances: no call starts until it is over. Calls in progress finish and are committed. */
  rebalancing(): void {
    this.#options.permits.pause('rebalance')
  }

  assigned(memberId: string, assignment: Assignment): void {
    // A member that kept its id missed no generation, so no other member owned its shards in between. A new id may have
    // missed one.
    const isSameMember = memberId === this.#memberId
    this.#memberId = memberId
    const wanted = Map.groupBy(partitionsOf(assignment), ({ partition }) => shardOf(partition))
    for (const [number, shard] of this.#shards) {
      if (isSameMember && wanted.has(number)) continue
      this.#shards.delete(number)
      void shard.revoke()
    }
    this.#options.permits.sweep()
    if (!this.#draining) {
      for (const [number, partitions] of wanted) this.#open(number).assign(partitions)
    }
    this.#indexLanes()
    this.#options.permits.resume('rebalance')
  }

  /** The membership is over, and with it all shards are lost. */
  revokeAll(): void {
    for (const shard of this.#shards.values()) void shard.revoke()
    this.#shards.clear()
    this.#indexLanes()
    this.#options.permits.sweep()
  }

  receive(topic: string, partition: number, records: readonly InputRecord[]): void {
    this.#lanes.get(partitionKey({ topic, partition }))?.receive(records)
  }

  progress(topic: string, partition: number, readUpTo: bigint, highWatermark: bigint): void {
    this.#lanes.get(partitionKey({ topic, partition }))?.progress(readUpTo, highWatermark)
  }

  /** The partition's log was replaced or truncated and now begins at this offset. */
  replaced(topic: string, partition: number, begin: bigint): void {
    if (this.#options.delayMs(topic) === 0) this.#options.recent.forgetPartition(partition)
    this.#shards.get(shardOf(partition))?.replaced({ topic, partition }, begin)
  }

  heartbeat(): void {
    for (const shard of this.#shards.values()) shard.heartbeat()
  }

  /** Starts no further records and commits those in progress. */
  async drain(): Promise<void> {
    this.#draining = true
    const drained = [...this.#shards.values()].map((shard) => shard.drain())
    this.#options.permits.sweep()
    await Promise.all(drained)
    this.#shards.clear()
    this.#indexLanes()
  }

  #open(number: number): Shard {
    const open = this.#shards.get(number)
    if (open !== undefined) return open
    const shard = new Shard({
      ...this.#options,
      shard: number,
      createLane: (of, owner) => this.#createLane(of, owner),
    })
    this.#shards.set(number, shard)
    return shard
  }

  #createLane({ topic, partition }: TopicPartition, owner: LaneOptions['owner']): Lane {
    const { delayMs, flow, permits, registryWaiting } = this.#options
    const priority = delayMs(topic) === 0 ? 'fresh' : 'deferred'
    return new Lane({
      ...this.#options,
      topic,
      partition,
      owner,
      delayMs: delayMs(topic),
      flow: flow(topic, partition),
      mayStartMore: () => registryWaiting() === 0 && !permits.isSaturated(priority),
    })
  }

  #indexLanes(): void {
    const lanes = new Map<string, Lane>()
    for (const shard of this.#shards.values())
      for (const lane of shard.lanes) lanes.set(partitionKey(lane), lane)
    this.#lanes = lanes
  }
}

function partitionsOf(assignment: Assignment): readonly TopicPartition[] {
  return Object.entries(assignment).flatMap(([topic, all]) => all.map((partition) => ({ topic, partition })))
}
