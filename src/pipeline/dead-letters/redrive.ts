/**
 * Writes the events of dead letters to the input topic again, exactly once: each batch is one transaction that includes
 * a redrive receipt for each dead letter. If a run ends early, its receipts show exactly what was redriven, and the
 * next run continues from there. A transaction is either committed, and the next run reads its receipts, or aborted
 * without a trace. A dead letter that cannot be redriven is found by halving its batch; it stays, and the others are
 * redriven.
 */
import {
  isSelected,
  receiptHeaders,
  redrivenHeaders,
  type StoredDeadLetter,
  type Selection,
} from '../../core/dead-letters/stored-dead-letter.ts'
import { partitionOfKey } from '../../core/partitions/partition.ts'
import type { InputRecord, OutputRecord, RedriveSink } from '../../ports.ts'
import { scanDeadLetters, type DlqReader } from './dead-letters.ts'
import { RedriveTally, type RedriveEnd, type RedriveReport } from './redrive-report.ts'

export interface RedriveOptions extends DlqReader {
  readonly selection: Selection
  readonly maxRedrives: number
  /** Null is a dry run. */
  readonly target: RedriveTarget | null
  /** Ends the run after the current transaction. */
  readonly signal: AbortSignal
  readonly onProgress: (read: number, total: number, sent: number) => void
}

export interface RedriveTarget {
  readonly sink: RedriveSink
  readonly inputTopic: string
  readonly deadLetterTopic: string
}

/** Small, so that little must be repeated after a failure. A transaction takes a few milliseconds. */
const MAX_BATCH_RECORDS = 100
const MAX_BATCH_BYTES = 4 * 1024 * 1024

interface SelectedDeadLetter {
  readonly deadLetter: StoredDeadLetter
  readonly record: InputRecord
}

export async function redrive(options: RedriveOptions): Promise<RedriveReport> {
  const run = new Run(options)
  return run.tally.report(await runOver(options, run))
}

async function runOver(
  { topic, ownTopics, selection, signal, onProgress }: RedriveOptions,
  run: Run,
): Promise<RedriveEnd> {
  const onRead = (read: number, total: number): void => onProgress(read, total, run.tally.sent)
  const partitions = partitionsOf(selection)
  for await (const found of scanDeadLetters({ topic, ownTopics, partitions, onRead, signal })) {
    if (signal.aborted) return { kind: 'interrupted' }
    if (found.kind === 'other' || found.redriven || !isSelected(found.deadLetter, selection)) continue
    run.tally.found(found.deadLetter)
    if (found.foreign) {
      run.tally.foreign(found.deadLetter)
      continue
    }
    const end = await run.take(found)
    if (end !== null) return end
  }
  return signal.aborted ? { kind: 'interrupted' } : ((await run.flush()) ?? { kind: 'done' })
}

/** The partitions to read; null for all. */
export function partitionsOf({ positions }: Selection): ReadonlySet<number> | null {
  if (positions.size === 0) return null
  return new Set([...positions].map((position) => Number.parseInt(position, 10)))
}

class Run {
  readonly tally: RedriveTally
  readonly #options: RedriveOptions
  #batch: SelectedDeadLetter[] = []
  #batchBytes = 0

  constructor(options: RedriveOptions) {
    this.#options = options
    this.tally = new RedriveTally(options.selection.positions)
  }

  /** Null if the run continues. */
  async take(selected: SelectedDeadLetter): Promise<RedriveEnd | null> {
    const { deadLetter, record } = selected
    if (deadLetter.redrives >= this.#options.maxRedrives) {
      this.tally.stays(deadLetter)
      return null
    }
    const leftOut = leftOutOf(selected)
    if (leftOut.length > 0) {
      this.tally.unfit(deadLetter, { kind: 'incomplete', leftOut })
      return null
    }
    this.#batch.push(selected)
    this.#batchBytes += record.value?.length ?? 0
    const full = this.#batch.length >= MAX_BATCH_RECORDS || this.#batchBytes >= MAX_BATCH_BYTES
    return full ? this.flush() : null
  }

  async flush(): Promise<RedriveEnd | null> {
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    return batch.length === 0 ? null : this.#send(batch)
  }

  /** Counts the dead letters after their commit. */
  async #send(batch: readonly SelectedDeadLetter[]): Promise<RedriveEnd | null> {
    const { target } = this.#options
    const outcome =
      target === null
        ? ({ kind: 'committed' } as const)
        : await target.sink.publish(batch.flatMap((selected) => outputsOf(selected, target)))
    switch (outcome.kind) {
      case 'committed':
        this.tally.committed(batch.map(({ deadLetter }) => deadLetter))
        return null
      case 'refused':
        return this.#halve(batch, outcome.failure.code)
      case 'fenced':
        return outcome
      case 'failed':
        return { kind: 'failed', message: outcome.failure.message }
    }
  }

  async #halve(batch: readonly SelectedDeadLetter[], code: string): Promise<RedriveEnd | null> {
    const [first] = batch
    if (first !== undefined && batch.length === 1) {
      this.tally.unfit(first.deadLetter, { kind: 'refused', code })
      return null
    }
    const half = Math.ceil(batch.length / 2)
    return (await this.#send(batch.slice(0, half))) ?? this.#send(batch.slice(half))
  }
}

/** The missing parts of the event: too large when the dead letter was written, or too large to read back. */
function leftOutOf({ deadLetter, record }: SelectedDeadLetter): readonly string[] {
  return [...deadLetter.leftOut, ...(record.leftOut ?? []).map(({ field }) => field)]
}

/** The unchanged event and its redrive receipt. */
function outputsOf({ deadLetter, record }: SelectedDeadLetter, target: RedriveTarget): OutputRecord[] {
  const { sink, inputTopic, deadLetterTopic } = target
  const { partition, key, value, headers } = record
  const count = sink.partitions(inputTopic)
  return [
    {
      topic: inputTopic,
      partition: sink.partitions(deadLetterTopic) === count ? partition : partitionOfKey(key, count),
      key,
      value,
      headers: redrivenHeaders(headers, deadLetter),
    },
    { topic: deadLetterTopic, partition, key: null, value: null, headers: receiptHeaders(deadLetter) },
  ]
}
