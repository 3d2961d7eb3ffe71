/**
 * Where partitions are read next that have no position, or one that their log does not have. A log can begin above a position
 * (its retention has deleted records), end below it (it was truncated, or belongs to a topic that was created again), or be
 * another one of any length. Each of these is logged, and nothing that still exists is left out.
 */
import type { Clock, Log } from '../../ports.ts'
import { id, type TopicPartition } from './batches.ts'
import { listOffsets, type ListedOffset } from './broker-requests.ts'
import type { FetchedPartition } from './fetched-partition.ts'
import type { Broker } from './internals.ts'

export interface LogPositionsOptions {
  /** Committed offsets by {@link id}; partitions without one are left out. */
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<ReadonlyMap<string, bigint>>
  /** Commits these offsets, for partitions without one. */
  readonly commit: (offsets: readonly (TopicPartition & { readonly offset: bigint })[]) => Promise<void>
  /** Where a partition without a committed offset starts. */
  readonly startOf: (partition: TopicPartition) => Start
  /** Asks where partitions are, and whether their topics are still the same ones. */
  readonly refresh: () => Promise<void>
  /** Whether brokers report ids of topics, by which one that was created again is recognized. */
  readonly hasTopicIds: (topic: string) => boolean
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Pick<Log, 'warn' | 'error'>
  /** So many offsets were deleted before they were read. */
  readonly onLost: (partition: TopicPartition, offsets: bigint) => void
  /** The log is another one, or a shorter one, and is read from its beginning. */
  readonly onReplaced: (partition: TopicPartition, begin: bigint) => void
}

/** `added`: its beginning, which is committed, because a member that starts later cannot tell that the partition was added. */
export type Start = 'earliest' | 'latest' | 'added'

interface Ends {
  readonly begin: bigint
  readonly end: bigint
}

type Found = readonly (readonly [of: FetchedPartition, ends: Ends])[]

export class LogPositions {
  readonly #options: LogPositionsOptions

  constructor(options: LogPositionsOptions) {
    this.#options = options
  }

  /** For partitions that this broker leads. Partitions it cannot tell of are left as they are. */
  async lookUp(broker: Broker, partitions: readonly FetchedPartition[]): Promise<void> {
    if (partitions.some(({ lookup }) => lookup === 'suspect')) await this.#examine(partitions)
    const found = await this.#ends(
      broker,
      partitions.filter(({ lookup }) => lookup !== null),
    )
    const as = (wanted: FetchedPartition['lookup']): Found =>
      found.filter(([{ lookup }]) => lookup === wanted)
    for (const [of, { begin }] of as('earliest')) of.moveTo(begin)
    this.#replaced(as('replaced'))
    this.#outOfRange(as('range'))
    await this.#start(as('start'))
  }

  /** The topic was missing for a moment. Was it created again? */
  async #examine(partitions: readonly FetchedPartition[]): Promise<void> {
    const { refresh, committed, hasTopicIds } = this.#options
    await refresh()
    const open = partitions.filter(({ lookup }) => lookup === 'suspect')
    const nameless = open.filter(({ topic }) => !hasTopicIds(topic))
    // The group's coordinator deletes the committed offsets of a topic that is deleted.
    const offsets = nameless.length === 0 ? new Map<string, bigint>() : await committed(nameless)
    for (const of of open) {
      const isGone = !hasTopicIds(of.topic) && of.hadCommitted && !offsets.has(of.key)
      if (of.lookup === 'suspect') of.lookUp(isGone ? 'replaced' : 'range')
    }
  }

  async #ends(broker: Broker, partitions: readonly FetchedPartition[]): Promise<Found> {
    if (partitions.length === 0) return []
    const asked = partitions.map((of) => [of, of.lookup] as const)
    const [begins, ends] = await Promise.all([
      listOffsets(broker, partitions, 'earliest').then(byKey),
      listOffsets(broker, partitions, 'latest').then(byKey),
    ])
    return asked.flatMap(([of, lookup]) => {
      const begin = begins.get(of.key)
      const end = ends.get(of.key)
      // It was moved meanwhile.
      if (of.lookup !== lookup) return []
      if (begin?.errorCode === 0 && end?.errorCode === 0) {
        return [[of, { begin: begin.offset, end: end.offset }] as const]
      }
      of.failed(this.#options.clock.monotonicMs())
      void this.#options.refresh()
      return []
    })
  }

  #replaced(found: Found): void {
    const { log, onReplaced } = this.#options
    for (const [topic, all] of Map.groupBy(found, ([of]) => of.topic)) {
      log.error(REPLACED, { topic, partitions: names(topic, all) })
    }
    for (const [of, { begin }] of found) {
      of.epoch = -1
      onReplaced(of, begin)
      of.moveTo(begin)
    }
  }

  #outOfRange(found: Found): void {
    const { log, onLost, clock } = this.#options
    this.#replaced(found.filter(([{ before }, { end }]) => before !== null && before > end))
    const lost = found.flatMap(([of, { begin }]) => {
      const { before, lookup } = of
      if (lookup !== 'range' || before === null) return []
      if (before >= begin) {
        of.moveTo(before)
        // Whoever refused it may do so again.
        of.failed(clock.monotonicMs())
        return []
      }
      const from = before > of.lostUpTo ? before : of.lostUpTo
      of.lostUpTo = begin
      of.moveTo(begin)
      return begin > from ? [{ of, from, offsets: begin - from }] : []
    })
    for (const { of, from, offsets } of lost) {
      const { topic, partition } = of
      onLost(of, offsets)
      log.error(LOST, { topic, partition, offset: String(from), count: Number(offsets) })
    }
  }

  async #start(found: Found): Promise<void> {
    const { startOf, commit, log } = this.#options
    const positions = found.flatMap(([of, { begin, end }]) => {
      const start = startOf(of)
      const { topic, partition } = of
      return start === 'earliest' ? [] : [{ topic, partition, offset: start === 'latest' ? end : begin }]
    })
    // Before a record is read: else records that come meanwhile would be skipped by whoever starts next.
    if (positions.length > 0) await commit(positions)
    for (const [topic, all] of Map.groupBy(found, ([of]) => of.topic)) {
      const count = (of: Found): number =>
        Number(of.reduce((sum, [, { begin, end }]) => sum + end - begin, 0n))
      const skipped = all.filter(([of]) => startOf(of) === 'latest')
      const read = all.filter(([of]) => startOf(of) !== 'latest')
      if (count(read) > 0) log.warn(READS_ALL, { topic, count: count(read), partitions: names(topic, read) })
      if (count(skipped) > 0)
        log.warn(SKIPS_ALL, { topic, count: count(skipped), partitions: names(topic, skipped) })
    }
    for (const [of, { begin, end }] of found) {
      if (of.lookup === 'start') of.moveTo(startOf(of) === 'latest' ? end : begin)
    }
  }
}

const REPLACED =
  'The log of these partitions was replaced or truncated: it is not the one that was read so far. The service reads it from its beginning, so events that are still in it come out again. Check whether the topic was created again, restored or mirrored, or lost records in an unclean leader election.'
const LOST =
  'Records were deleted before the service had processed them: `count` offsets, the first one is `offset`. The service continues with the oldest record there is. Check retention.ms and retention.bytes of the topic, and why the service was so far behind.'
const READS_ALL =
  'The group of KAFKA_GROUP_ID has no committed offset for these partitions: up to `count` records are read. If they were processed before, under another group or before the offsets expired, the service calls CheckResult for them again and publishes their results again. To skip the records that exist at the first start, set KAFKA_START_OFFSET=latest.'
const SKIPS_ALL =
  'The group of KAFKA_GROUP_ID has no committed offset for these partitions: with KAFKA_START_OFFSET=latest up to `count` records are skipped.'

function names(topic: string, found: Found): string {
  return `${topic} [${found.map(([{ partition }]) => partition).join(' ')}]`
}

function byKey(listed: readonly ListedOffset[]): Map<string, ListedOffset> {
  return new Map(listed.map((one) => [id(one), one]))
}
