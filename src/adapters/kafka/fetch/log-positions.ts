/**
 * Finds the read position of partitions that have none, or one that their log does not contain. A log can begin
 * above a position (retention deleted records), end below it (it was truncated, or its topic was created again), or
 * be another log of any length. Each case is logged, and nothing that still exists is skipped.
 */
import type { Clock, Log } from '../../../ports.ts'
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'
import { listOffsets, type ListedOffset } from '../broker-requests.ts'
import type { FetchedPartition } from './fetched-partition.ts'
import type { Broker } from '../kafkajs/internals.ts'

export interface LogPositionsOptions {
  /** Committed offsets by {@link id}. Partitions without one are left out. */
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<ReadonlyMap<string, bigint>>
  /** Commits the start offsets of partitions without a committed offset. */
  readonly commit: (offsets: readonly (TopicPartition & { readonly offset: bigint })[]) => Promise<void>
  /** Start of a partition without a committed offset. */
  readonly startOf: (partition: TopicPartition) => Start
  /** Refreshes the metadata, including whether the topics are still the same ones. */
  readonly refresh: () => Promise<void>
  /** Whether brokers report topic ids, which reveal a topic that was created again. */
  readonly hasTopicIds: (topic: string) => boolean
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Pick<Log, 'warn' | 'error'>
  /** Reports the number of offsets that were deleted before they were read. */
  readonly onLost: (partition: TopicPartition, offsets: bigint) => void
  /** The log was replaced or truncated, and is read from its beginning. */
  readonly onReplaced: (partition: TopicPartition, begin: bigint) => void
}

/**
 * `added` means the beginning, which is also committed, because a member that starts later cannot know that the
 * partition is new.
 */
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

  /** Looks up partitions that this broker leads. Partitions that it cannot answer for stay unchanged. */
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

  /** Checks whether a topic that was missing for a moment was created again. */
  async #examine(partitions: readonly FetchedPartition[]): Promise<void> {
    const { refresh, committed, hasTopicIds } = this.#options
    await refresh()
    const open = partitions.filter(({ lookup }) => lookup === 'suspect')
    const nameless = open.filter(({ topic }) => !hasTopicIds(topic))
    // The group coordinator deletes the committed offsets of a deleted topic.
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
      // The position was set in the meantime.
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
        // The broker may reject it again.
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
    // Commits before reading: otherwise the next member to start would skip records that arrive in the meantime.
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
  'The log of these partitions was replaced or truncated. The service reads the current log from its beginning, so events that are still in it are published again. Check whether the topic was created again, restored or mirrored, or lost records in an unclean leader election.'
const LOST =
  'Records were deleted before the service had processed them: `count` offsets, starting at `offset`. The service continues with the oldest existing record. Check retention.ms and retention.bytes of the topic, and why the service was so far behind.'
const READS_ALL =
  'The group in KAFKA_GROUP_ID has no committed offset for these partitions, so the service reads up to `count` records. If they were processed before, under another group or before the offsets expired, the service calls CheckResult for them again and publishes their results again. To skip existing records at the first start, set KAFKA_START_OFFSET=latest.'
const SKIPS_ALL =
  'The group in KAFKA_GROUP_ID has no committed offset for these partitions. Because of KAFKA_START_OFFSET=latest the service skips up to `count` records.'

function names(topic: string, found: Found): string {
  return `${topic} [${found.map(([{ partition }]) => partition).join(' ')}]`
}

function byKey(listed: readonly ListedOffset[]): Map<string, ListedOffset> {
  return new Map(listed.map((one) => [partitionKey(one), one]))
}
