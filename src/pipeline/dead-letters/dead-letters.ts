/**
 * Reads the dead-letter topic and reports for each dead letter whether it was redriven. A redrive receipt follows its
 * dead letter in the same partition, so each partition is read twice: once for receipts, once for dead letters. Memory
 * holds the receipts of one partition and one chunk of records, however long the topic is.
 */
import {
  isFromOneOf,
  positionName,
  readDlqRecord,
  type StoredDeadLetter,
  type DeadLetterPosition,
} from '../../core/dead-letters/stored-dead-letter.ts'
import type { InputRecord, PartitionRange, TopicReader } from '../../ports.ts'

export type Found =
  | {
      readonly kind: 'dead-letter'
      readonly deadLetter: StoredDeadLetter
      readonly record: InputRecord
      readonly redriven: boolean
      /** The event came from a topic of another pipeline. */
      readonly foreign: boolean
    }
  /** Neither a dead letter nor a redrive receipt. */
  | { readonly kind: 'other' }

export interface DlqReader {
  readonly topic: TopicReader
  /** The input topic and the retry topics. Dead letters of events from other topics belong to another pipeline. */
  readonly ownTopics: ReadonlySet<string>
}

export interface ScanOptions extends DlqReader {
  /** Null reads all partitions. */
  readonly partitions: ReadonlySet<number> | null
  /** The number of offsets read so far and in total. Each partition counts twice. */
  readonly onRead?: (done: number, total: number) => void
  /** Ends the scan early. */
  readonly signal?: AbortSignal
}

/** Yields dead letters by partition, in the order of their offsets. */
export async function* scanDeadLetters(options: ScanOptions): AsyncGenerator<Found> {
  const { topic, ownTopics, partitions } = options
  const ranges = topic.ranges.filter(({ partition }) => partitions === null || partitions.has(partition))
  const passes = progressReader(options, ranges)
  for (const range of ranges) {
    const redriven = new Set<string>()
    for await (const record of passes.read(range)) {
      const stored = readDlqRecord(record)
      if (stored.kind === 'redrive-receipt') redriven.add(positionName(stored.of))
    }
    for await (const record of passes.read(range)) {
      const stored = readDlqRecord(record)
      if (stored.kind === 'other') yield stored
      if (stored.kind === 'dead-letter') {
        const { deadLetter } = stored
        const foreign = !isFromOneOf(ownTopics, deadLetter)
        yield { ...stored, record, redriven: redriven.delete(positionName(deadLetter)), foreign }
      }
    }
  }
}

/** Reads ranges and reports progress. */
function progressReader({ topic, onRead, signal }: ScanOptions, ranges: readonly PartitionRange[]) {
  const total = ranges.reduce((sum, { begin, end }) => sum + 2 * Number(end - begin), 0)
  let done = 0
  return {
    async *read(range: PartitionRange): AsyncGenerator<InputRecord> {
      const before = done
      if (range.begin < range.end) {
        for await (const records of topic.read(range)) {
          if (signal?.aborted === true) return
          yield* records
          const last = records.at(-1)
          if (last !== undefined) done = before + Number(last.offset + 1n - range.begin)
          onRead?.(done, total)
        }
      }
      done = before + Number(range.end - range.begin)
    },
  }
}

/** Counts dead letters of other pipelines and keeps the first few. */
export class ForeignDeadLetters {
  #total = 0
  readonly #topics = new Set<string>()
  readonly #positions: DeadLetterPosition[] = []

  add(deadLetter: StoredDeadLetter): void {
    this.#total += 1
    if (this.#positions.length < MAX_NAMED) this.#positions.push(deadLetter)
    if (this.#topics.size < MAX_NAMED) this.#topics.add(deadLetter.source?.topic ?? 'unknown')
  }

  get summary(): ForeignSummary {
    return { total: this.#total, topics: [...this.#topics], positions: this.#positions.map(positionName) }
  }
}

export interface ForeignSummary {
  readonly total: number
  /** Source topics of the events, limited to the first few. */
  readonly topics: readonly string[]
  /** Limited to the first few. */
  readonly positions: readonly string[]
}

const MAX_NAMED = 20
