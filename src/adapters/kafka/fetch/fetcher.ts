/**
 * Reads the assigned partitions, each from its leader. Positions are kept here: they start at the group's committed
 * offset and move with each read or seek. A partition that stays assigned keeps its position.
 */
import type { Clock, InputRecord, Log, PartitionFlow } from '../../../ports.ts'
import { partitionKey } from '../../../core/partitions/topic-partition.ts'
import { BrokerFetches } from './broker-fetches.ts'
import { FetchedPartition } from './fetched-partition.ts'
import { LogPositions, type LogPositionsOptions } from './log-positions.ts'
import type { Topology } from '../admin/topology.ts'

export interface FetcherOptions extends Pick<
  LogPositionsOptions,
  'committed' | 'commit' | 'startOf' | 'onLost' | 'onReplaced'
> {
  readonly topology: Topology
  readonly clock: Clock
  readonly log: Pick<Log, 'debug' | 'warn' | 'error'>
  readonly onRecords: (topic: string, partition: number, records: readonly InputRecord[]) => void
  readonly onProgress: (partition: FetchedPartition) => void
  readonly onActivity: () => void
  /** Whether this error ends the consumer. */
  readonly onError: (error: unknown) => boolean
}

const NO_LEADER = -1
const RETRY_MS = 500
/** New partitions and moved leaders are noticed within this time at the latest. */
const METADATA_MAX_AGE_MS = 15_000
/** Used while a partition has no leader, or no broker answers. */
const RETRY_METADATA_MS = 1_000

export class Fetcher {
  readonly #options: FetcherOptions
  /** Sorted by their turns. */
  readonly #partitions = new Map<string, FetchedPartition>()
  readonly #brokers = new Map<number, BrokerFetches>()
  readonly #positions: LogPositions
  #refreshing: Promise<void> | null = null
  #closed = false
  #cancelRefresh: () => void = () => undefined

  constructor(options: FetcherOptions) {
    this.#options = options
    this.#positions = new LogPositions({
      ...options,
      refresh: () => this.refresh(),
      hasTopicIds: (topic) => options.topology.hasId(topic),
    })
  }

  /** `keeps` means that partitions already assigned continue at their position. */
  assign(
    assignment: Readonly<Record<string, readonly number[]>>,
    { isSameMember }: { isSameMember: boolean },
  ): void {
    const before = new Map(this.#partitions)
    this.#partitions.clear()
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const key = partitionKey({ topic, partition })
        const kept = isSameMember ? before.get(key) : undefined
        this.#partitions.set(key, kept ?? new FetchedPartition({ topic, partition }))
      }
    }
    this.refreshed()
    this.#cancelRefresh()
    this.#refreshLater([...this.#partitions.values()].every(({ leader }) => leader !== NO_LEADER))
    void this.#findCommitted()
  }

  /** Does nothing for partitions that are not assigned. */
  flow(topic: string, partition: number): PartitionFlow {
    const key = partitionKey({ topic, partition })
    const withIt = (change: (of: FetchedPartition) => void): void => {
      const of = this.#partitions.get(key)
      if (of === undefined) return
      change(of)
      this.#brokers.get(of.leader)?.wake()
    }
    const { log } = this.#options
    return {
      pause: () => {
        log.debug?.('Paused fetching of the partition: enough of its records are buffered.', {
          topic,
          partition,
        })
        withIt((of) => void (of.isPaused = true))
      },
      resume: () => {
        log.debug?.('Resumed fetching of the partition.', { topic, partition })
        withIt((of) => void (of.isPaused = false))
      },
      seek: (offset) => {
        log.debug?.('The partition will be read again from this offset (-1 means its beginning).', {
          topic,
          partition,
          offset: String(offset ?? -1n),
        })
        withIt((of) => {
          // The offset belongs to the previous log.
          if (of.lookup === 'replaced') return
          of.epoch = -1
          if (offset === null) of.lookUp('earliest')
          else of.moveTo(offset)
        })
      },
    }
  }

  get partitions(): Iterable<FetchedPartition> {
    return this.#partitions.values()
  }

  /**
   * When the leader last reported everything it has for the partition, in monotonic milliseconds. Null while it is
   * not fetched.
   */
  fetchedMs({ key, leader }: FetchedPartition): number | null {
    return this.#brokers.get(leader)?.answeredMs(key) ?? null
  }

  /** The metadata was refreshed, so partitions may have other leaders. */
  refreshed(): void {
    const { topology, log } = this.#options
    for (const one of this.#partitions.values()) {
      const leader = topology.leaderOf(one.topic, one.partition)
      if (leader !== one.leader) {
        log.debug?.(leaderChange(one.leader, leader), {
          topic: one.topic,
          partition: one.partition,
          ...(leader === NO_LEADER ? {} : { detail: `The leader is broker ${leader}.` }),
        })
        one.succeeded()
      }
      one.leader = leader
      if (leader !== NO_LEADER) this.#fetchFrom(leader)
    }
  }

  /** Stops at once and drops pending responses. */
  close(): void {
    this.#closed = true
    this.#cancelRefresh()
    this.#partitions.clear()
    for (const broker of this.#brokers.values()) broker.close()
  }

  /** Refreshes the metadata. Resolves in any case. */
  refresh(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null))
    return this.#refreshing
  }

  /** The topic was created again, so its partitions have new logs. */
  replaced(topic: string): void {
    for (const one of this.#partitions.values()) {
      if (one.topic === topic && one.lookup !== 'committed') one.lookUp('replaced')
    }
  }

  async #refresh(): Promise<void> {
    this.#cancelRefresh()
    let isKnown = true
    try {
      await this.#options.topology.refresh()
    } catch (error) {
      isKnown = false
      if (!this.#closed) this.#options.onError(error)
    }
    this.#refreshLater(isKnown && [...this.#partitions.values()].every(({ leader }) => leader !== NO_LEADER))
  }

  #refreshLater(isComplete: boolean): void {
    if (this.#closed) return
    const delayMs = isComplete ? METADATA_MAX_AGE_MS : RETRY_METADATA_MS
    this.#cancelRefresh = this.#options.clock.after(delayMs, () => void this.refresh())
  }

  #fetchFrom(nodeId: number): void {
    if (this.#closed || this.#brokers.has(nodeId)) return
    const { topology, clock, log, onRecords, onProgress, onActivity, onError } = this.#options
    const fetches = new BrokerFetches({
      nodeId,
      findBroker: (of) => topology.cluster.findBroker({ nodeId: of }),
      led: (of) => [...this.#partitions.values()].filter(({ leader }) => leader === of),
      find: (key) => this.#partitions.get(key),
      lookUp: (broker, partitions) => this.#positions.lookUp(broker, partitions),
      clock,
      log,
      onRecords: ({ topic, partition }, records) => onRecords(topic, partition, records),
      onProgress,
      onServed: (partition) => {
        this.#partitions.delete(partition.key)
        this.#partitions.set(partition.key, partition)
      },
      onActivity,
      refresh: () => void this.refresh(),
      onError,
      onEnd: () => {
        if (this.#brokers.get(nodeId) === fetches) this.#brokers.delete(nodeId)
        // The broker may have become the leader of a partition while its fetches ended.
        if (!this.#closed) this.refreshed()
      },
    })
    this.#brokers.set(nodeId, fetches)
    void fetches.run()
  }

  /** Looks up new partitions. Retries until the group has answered or they are revoked. */
  async #findCommitted(): Promise<void> {
    for (;;) {
      const open = [...this.#partitions.values()].filter(({ lookup }) => lookup === 'committed')
      if (open.length === 0) return
      try {
        const offsets = await this.#options.committed(open)
        for (const one of open) {
          const offset = offsets.get(one.key)
          if (one.lookup !== 'committed') continue
          one.hadCommitted = offset !== undefined
          if (offset === undefined) one.lookUp('start')
          else one.moveTo(offset)
        }
        for (const broker of this.#brokers.values()) broker.wake()
        return
      } catch (error) {
        if (this.#closed || this.#options.onError(error)) return
        await new Promise<void>((resolve) => void this.#options.clock.after(RETRY_MS, resolve))
      }
    }
  }
}

function leaderChange(before: number, leader: number): string {
  if (leader === NO_LEADER) return 'The partition has no leader now.'
  return before === NO_LEADER
    ? 'The leader of the partition is now known.'
    : 'The leader of the partition has changed.'
}
