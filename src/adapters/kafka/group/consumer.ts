/**
 * The consumer: a group member and a fetcher for its assigned partitions. Records are passed on as they arrive.
 * Offsets are committed by the lanes' transactions or through {@link GroupConsumer.commit}, never by the consumer
 * itself.
 *
 * It ends by itself if the brokers are unavailable for longer than a session, or reject something permanently: see
 * {@link ConsumerHooks}.
 */
import type { Clock, InputRecord, Log, Moment, PartitionFlow } from '../../../ports.ts'
import type { QuotaPlan } from '../../../core/quota/quota-shares.ts'
import { OperatorError } from '../../../core/safe-error.ts'
import type { StartOffset } from '../../../core/partitions/start-offset.ts'
import type { TopicPartition } from '../../../core/partitions/topic-partition.ts'
import { byTopic, committedOffsets } from '../by-topic.ts'
import { disconnect } from '../disconnect.ts'
import { createCoPartitioning, type CoPartitioning } from './co-partition-assigner.ts'
import { errorType, explain, isPassing, isRefusal } from '../errors.ts'
import type { FetchedPartition } from '../fetch/fetched-partition.ts'
import { Fetcher } from '../fetch/fetcher.ts'
import type { GroupInstance } from './group-instance.ts'
import { GroupMember, type Assigned } from './group-member.ts'
import type { Cluster } from '../kafkajs/internals.ts'
import type { TopicOffsets } from './offset-commits.ts'
import { OffsetWatch } from '../fetch/offset-watch.ts'
import { withPartialMetadata } from '../admin/topic-metadata.ts'
import { Topology } from '../admin/topology.ts'

export type Assignment = Readonly<Record<string, readonly number[]>>

/** The group's decision for this member, besides its partitions. */
export interface Membership {
  readonly memberId: string
  readonly generation: number
  /** When the request was sent whose answer contains this decision. */
  readonly sent: Moment
  /** From the group's leader. */
  readonly quotaPlan: QuotaPlan
}

export interface ConsumerHooks {
  /** The group may reassign partitions from now on without asking: the member is about to join, rejoin or leave. */
  readonly onBeforeRejoin: () => void
  /** The group reassigns all partitions. This is not an early warning: the member rejoins right afterwards. */
  readonly onRebalancing: () => void
  readonly onAssigned: (membership: Membership, assignment: Assignment) => void
  readonly onRecords: (topic: string, partition: number, records: readonly InputRecord[]) => void
  /** `readUpTo` is the offset to read next. */
  readonly onProgress: (
    topic: string,
    partition: number,
    at: { readUpTo: bigint; highWatermark: bigint },
  ) => void
  /** Seconds since the partition's leader last answered; null once it answers again. */
  readonly onLeaderSilent: (topic: string, partition: number, seconds: number | null) => void
  /** Seconds since an open transaction of any producer started to block reads; null once it no longer does. */
  readonly onOpenTransaction: (topic: string, partition: number, seconds: number | null) => void
  /** Reports the number of offsets that were deleted before they were read. */
  readonly onLost: (topic: string, partition: number, offsets: number) => void
  /**
   * The log was replaced, or truncated below the read position. It is read from its beginning, which is this
   * offset.
   */
  readonly onReplaced: (topic: string, partition: number, begin: bigint) => void
  /** The group accepted a heartbeat that was sent at this moment. */
  readonly onHeartbeat: (sent: Moment) => void
  /** Called on any activity of the fetches or the membership. */
  readonly onActivity: () => void
  /** The consumer ended because of a temporary problem. The caller must create a new one. */
  readonly onEnd: (message: string) => void
  /** The consumer ended, and a new one would end in the same way. The process should end with this message. */
  readonly onCrash: (message: string) => void
  readonly onDefect: (error: unknown) => void
}

export interface ConsumerOptions {
  readonly createCluster: () => Cluster
  readonly groupId: string
  /** Null without static membership. */
  readonly instance: GroupInstance | null
  readonly inputTopic: string
  readonly retryTopics: readonly string[]
  readonly sessionTimeoutMs: number
  /** Permits to be shared by partitions. Null in other quota modes. */
  readonly permits: number | null
  /** Start of input partitions for which the group has no offset. */
  readonly startOffset: StartOffset
  readonly clock: Clock
  readonly log: Log
  readonly hooks: ConsumerHooks
}

export interface GroupConsumer {
  /** Reasons outside this service why partitions make no progress, one message each. */
  readonly warnings: readonly string[]
  flow(topic: string, partition: number): PartitionFlow
  /**
   * Joins the group. `onAssigned` is called before this resolves. Rejects with a readable message if the brokers
   * reject the member.
   */
  start(): Promise<void>
  /** Commits offsets of records that were passed on. Rejects if the group has reassigned the partitions. */
  commit(topics: TopicOffsets[]): Promise<void>
  /** Leaves the group. Call it when the lanes are drained. */
  stop(): Promise<void>
}

export function createGroupConsumer(options: ConsumerOptions): GroupConsumer {
  const consumer = new OwnConsumer(options)
  return {
    get warnings() {
      return consumer.warnings
    },
    flow: (topic, partition) => consumer.flow(topic, partition),
    start: () => consumer.start(),
    commit: (topics) => consumer.commit(topics),
    stop: () => consumer.stop(),
  }
}

/** Each attempt makes the other program's group reassign its partitions. */
const RETRY_MS = 30_000

const SEPARATE =
  'Stop the other program, or give one of the two another group id (see KAFKA_START_OFFSET for what a new group reads).'

function anotherInputTopic(groupId: string): OperatorError {
  return new OperatorError(
    `Another program uses KAFKA_GROUP_ID ${groupId}: the group has members that are not replicas of this service with the same KAFKA_INPUT_TOPIC. The service reads nothing, and retries until they have left. ${SEPARATE}`,
    RETRY_MS,
  )
}

/** A rejected member triggers no rebalance, so it may retry soon. */
function anotherProtocol(groupId: string): OperatorError {
  return new OperatorError(
    `Another program, or an earlier version of this service, uses KAFKA_GROUP_ID ${groupId}: the group has members that do not assign partitions by shard. The service reads nothing, and retries until they have left. After an upgrade or a rollback, stop all replicas of the other version. ${SEPARATE}`,
    0,
  )
}

class OwnConsumer {
  readonly #options: ConsumerOptions
  readonly #topology: Topology
  readonly #partitioning: CoPartitioning
  readonly #memberCluster: Cluster
  readonly #member: GroupMember
  readonly #fetcher: Fetcher
  readonly #watch: OffsetWatch
  #memberId = ''
  /**
   * Number of input partitions when this member first joined. Partitions added later are read from their beginning.
   */
  #knownWidth = 0
  /** Partition counts that the leader used for the assignment. Null if this member is not the leader. */
  #assignedWidths: ReadonlyMap<string, number> | null = null
  #isOver = false

  constructor(options: ConsumerOptions) {
    const { createCluster, inputTopic, retryTopics, permits, clock, log, hooks } = options
    this.#options = options
    this.#topology = new Topology({
      createCluster,
      topics: [inputTopic, ...retryTopics],
      onRefreshed: () => this.#refreshed(),
      onReplaced: (topic) => this.#fetcher.replaced(topic),
    })
    this.#partitioning = createCoPartitioning({
      inputTopic,
      retryTopics,
      permits,
      widths: async () => {
        await this.#topology.refresh()
        return this.#topology.widths()
      },
    })
    // Has separate connections, because a broker answers nothing else on a connection while the group waits for
    // members.
    this.#memberCluster = withPartialMetadata(createCluster())
    this.#member = new GroupMember({
      ...options,
      cluster: this.#memberCluster,
      protocol: this.#partitioning,
      onBeforeRejoin: () => this.#guarded(hooks.onBeforeRejoin),
      onRebalancing: () => this.#guarded(hooks.onRebalancing),
      onAssigned: (assigned) => this.#assigned(assigned),
      onHeartbeat: (sent) => this.#guarded(() => hooks.onHeartbeat(sent)),
      onActivity: () => this.#guarded(hooks.onActivity),
      onEnd: (error) => this.#end(error),
    })
    this.#fetcher = new Fetcher({
      topology: this.#topology,
      committed: (partitions) => this.#committed(partitions),
      commit: (offsets) => this.#commitStarts(offsets),
      startOf: ({ topic, partition }) => {
        if (topic !== inputTopic || options.startOffset === 'earliest') return 'earliest'
        return partition < this.#knownWidth ? 'latest' : 'added'
      },
      onLost: ({ topic, partition }, offsets) =>
        this.#guarded(() => hooks.onLost(topic, partition, Number(offsets))),
      onReplaced: ({ topic, partition }, begin) =>
        this.#guarded(() => hooks.onReplaced(topic, partition, begin)),
      clock,
      log,
      onRecords: (topic, partition, records) =>
        this.#guarded(() => hooks.onRecords(topic, partition, records)),
      onProgress: (partition) => this.#progressed(partition),
      onActivity: () => this.#guarded(hooks.onActivity),
      onError: (error) => this.#failed(error),
    })
    this.#watch = this.#createWatch(options)
  }

  #createWatch({ clock, log, hooks }: ConsumerOptions): OffsetWatch {
    return new OffsetWatch({
      partitions: () => this.#fetcher.partitions,
      fetchedMs: (partition) => this.#fetcher.fetchedMs(partition),
      findBroker: (nodeId) => this.#topology.cluster.findBroker({ nodeId }),
      addressOf: (nodeId) => this.#topology.addressOf(nodeId),
      clock,
      log,
      onProgress: (partition) => this.#progressed(partition),
      onLeaderSilent: ({ topic, partition }, seconds) =>
        this.#guarded(() => hooks.onLeaderSilent(topic, partition, seconds)),
      onOpenTransaction: ({ topic, partition }, seconds) =>
        this.#guarded(() => hooks.onOpenTransaction(topic, partition, seconds)),
    })
  }

  get warnings(): readonly string[] {
    return this.#watch.warnings
  }

  flow(topic: string, partition: number): PartitionFlow {
    return this.#fetcher.flow(topic, partition)
  }

  async start(): Promise<void> {
    try {
      await this.#topology.connect()
      await this.#member.join()
      this.#watch.start()
    } catch (error) {
      await this.stop()
      throw this.#explained(error)
    }
  }

  async commit(topics: readonly TopicOffsets[]): Promise<void> {
    await this.#member.commit(topics)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    this.#watch.close()
    this.#fetcher.close()
    await this.#member.leave()
    await Promise.all([disconnect(this.#memberCluster), disconnect(this.#topology.cluster)])
  }

  #assigned({ memberId, generation, isLeader, sent, memberAssignment }: Assigned): void {
    const assigned = this.#partitioning.assigned(memberAssignment)
    if (assigned === null) throw anotherInputTopic(this.#options.groupId)
    const { assignment, plan, fitsSettings } = assigned
    const isSameMember = memberId === this.#memberId
    const isFirst = this.#memberId === ''
    this.#memberId = memberId
    this.#knownWidth ||= plan.partitions
    this.#assignedWidths = isLeader ? new Map(Object.entries(plan.widths)) : null
    this.#fetcher.assign(assignment, { isSameMember })
    this.#guarded(() =>
      this.#options.hooks.onAssigned({ memberId, generation, sent, quotaPlan: plan }, assignment),
    )
    // A restarted static member gets the assignment of its predecessor, which may have had other settings.
    if (isFirst && !fitsSettings && this.#options.instance !== null) this.#member.rejoin()
  }

  #progressed({ topic, partition, next, log }: FetchedPartition): void {
    if (next === null || log === null) return
    const { highWatermark } = log
    this.#guarded(() => this.#options.hooks.onProgress(topic, partition, { readUpTo: next, highWatermark }))
  }

  async #committed(partitions: readonly TopicPartition[]): Promise<Map<string, bigint>> {
    return committedOffsets(
      await this.#member.committed(byTopic(partitions, ({ partition }) => ({ partition }))),
    )
  }

  async #commitStarts(offsets: readonly (TopicPartition & { readonly offset: bigint })[]): Promise<void> {
    await this.#member.commit(
      byTopic(offsets, ({ partition, offset }) => ({ partition, offset: String(offset) })),
    )
  }

  #refreshed(): void {
    if (this.#isOver) return
    this.#fetcher.refreshed()
    const assigned = this.#assignedWidths
    if (assigned === null) return
    const hasChanged = [...this.#topology.widths()].some(([topic, width]) => assigned.get(topic) !== width)
    if (!hasChanged) return
    this.#assignedWidths = null
    this.#member.rejoin()
  }

  /** Returns whether the error ends the consumer. */
  #failed(error: unknown): boolean {
    if (isDefect(error)) this.#options.hooks.onDefect(error)
    else if (isRefusal(error)) this.#end(error)
    else return false
    return true
  }

  #end(error: unknown): void {
    if (this.#isOver) return
    const { hooks } = this.#options
    const { message, retryAfterMs } = this.#explained(error)
    void this.stop()
    this.#guarded(() =>
      isPassing(error) || retryAfterMs !== null ? hooks.onEnd(message) : hooks.onCrash(message),
    )
  }

  #explained(error: unknown): OperatorError {
    if (error instanceof OperatorError) return error
    if (errorType(error) === 'INCONSISTENT_GROUP_PROTOCOL') return anotherProtocol(this.#options.groupId)
    return new OperatorError(explain(error))
  }

  #guarded(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#options.hooks.onDefect(error)
    }
  }
}

function isDefect(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}
