/**
 * Puts dead letters back into the input topic, exactly once: each batch of events goes out in one transaction with a
 * marker for each letter. A run that ends early, however it does, has put back what its markers say and nothing else;
 * the next one goes on from there. Either a transaction is committed and its markers are read by whoever claims the log
 * next, or it is aborted and nothing of it is seen.
 */
import {
  isSelected,
  markerHeaders,
  placeName,
  redrivenHeaders,
  type Letter,
  type LetterPlace,
  type Selection,
} from '../core/letter.ts'
import { outputPartition } from '../core/partition.ts'
import type { InputRecord, OutputRecord, RedriveLog, TopicReader } from '../ports.ts'
import { scanLetters } from './dead-letters.ts'

export interface RedriveOptions {
  readonly topic: TopicReader
  readonly selection: Selection
  readonly maxRedrives: number
  /** Null looks what would be done, and does nothing. */
  readonly target: RedriveTarget | null
  /** Ends the run after the transaction in hand. */
  readonly signal: AbortSignal
  readonly onProgress: (read: number, total: number, sent: number) => void
}

export interface RedriveTarget {
  readonly log: RedriveLog
  readonly inputTopic: string
  readonly deadLetterTopic: string
}

export type RedriveEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'interrupted' }
  /** Another redrive has taken over. */
  | { readonly kind: 'fenced' }
  /** Whether the last transaction was committed is unknown: the next run will see. */
  | { readonly kind: 'failed'; readonly message: string }

export interface RedriveReport {
  readonly end: RedriveEnd
  /** What was sent, or would be, and what stays because it failed too often. One for each reason and code. */
  readonly groups: readonly RedriveGroup[]
  /** The first of those that stay. */
  readonly staying: readonly LetterPlace[]
  /** Named in the selection, but no letter that waits. */
  readonly absent: readonly string[]
}

export interface RedriveGroup {
  readonly reason: string
  readonly code: string
  readonly sent: number
  readonly stays: number
}

/** Small, so that little has to be done again after a failure; a transaction takes a few milliseconds. */
const BATCH_MOST_LETTERS = 100
const BATCH_MOST_BYTES = 4 * 1024 * 1024
const MOST_NAMED = 20

interface Taken {
  readonly letter: Letter
  readonly record: InputRecord
}

export async function redrive(options: RedriveOptions): Promise<RedriveReport> {
  const run = new Run(options)
  const end = await runOver(options, run)
  return { end, ...run.summary() }
}

async function runOver(
  { topic, selection, signal, onProgress }: RedriveOptions,
  run: Run,
): Promise<RedriveEnd> {
  const onRead = (read: number, total: number): void => onProgress(read, total, run.sent)
  const partitions = partitionsOf(selection)
  for await (const found of scanLetters({ topic, partitions, onRead, signal })) {
    if (signal.aborted) return { kind: 'interrupted' }
    if (found.kind === 'other' || found.redriven || !isSelected(found.letter, selection)) continue
    const end = await run.take(found)
    if (end !== null) return end
  }
  return signal.aborted ? { kind: 'interrupted' } : ((await run.flush()) ?? { kind: 'done' })
}

/** Those that have to be read; null is all. */
export function partitionsOf({ places }: Selection): ReadonlySet<number> | null {
  if (places.size === 0) return null
  return new Set([...places].map((place) => Number.parseInt(place, 10)))
}

class Run {
  sent = 0
  readonly #options: RedriveOptions
  readonly #groups = new Map<string, RedriveGroup>()
  readonly #staying: LetterPlace[] = []
  readonly #absent: Set<string>
  #batch: Taken[] = []
  #batchBytes = 0

  constructor(options: RedriveOptions) {
    this.#options = options
    this.#absent = new Set(options.selection.places)
  }

  /** Null goes on. */
  async take(taken: Taken): Promise<RedriveEnd | null> {
    const { letter, record } = taken
    this.#absent.delete(placeName(letter))
    if (letter.redrives >= this.#options.maxRedrives) {
      this.#count(letter, { sent: 0, stays: 1 })
      if (this.#staying.length < MOST_NAMED) this.#staying.push(letter)
      return null
    }
    this.#batch.push(taken)
    this.#batchBytes += record.value?.length ?? 0
    const full = this.#batch.length >= BATCH_MOST_LETTERS || this.#batchBytes >= BATCH_MOST_BYTES
    return full ? this.flush() : null
  }

  /** Counts what is in hand once it is committed. */
  async flush(): Promise<RedriveEnd | null> {
    const batch = this.#batch
    const { target } = this.#options
    this.#batch = []
    this.#batchBytes = 0
    if (target !== null && batch.length > 0) {
      const outcome = await target.log.publish(batch.flatMap((taken) => outputsOf(taken, target)))
      if (outcome.kind === 'fenced') return outcome
      if (outcome.kind !== 'committed') return { kind: 'failed', message: outcome.failure.message }
    }
    this.sent += batch.length
    for (const { letter } of batch) this.#count(letter, { sent: 1, stays: 0 })
    return null
  }

  summary(): Omit<RedriveReport, 'end'> {
    return { groups: [...this.#groups.values()], staying: this.#staying, absent: [...this.#absent] }
  }

  #count({ reason, code }: Letter, { sent, stays }: { sent: number; stays: number }): void {
    const name = `${reason} ${code}`
    const group = this.#groups.get(name) ?? { reason, code, sent: 0, stays: 0 }
    this.#groups.set(name, { reason, code, sent: group.sent + sent, stays: group.stays + stays })
  }
}

/** The event as it came, and the marker that says so. */
function outputsOf({ letter, record }: Taken, target: RedriveTarget): OutputRecord[] {
  const { log, inputTopic, deadLetterTopic } = target
  const { partition, key, value, headers } = record
  const count = log.partitions(inputTopic)
  return [
    {
      topic: inputTopic,
      partition: log.partitions(deadLetterTopic) === count ? partition : outputPartition(key, count),
      key,
      value,
      headers: redrivenHeaders(headers, letter),
    },
    { topic: deadLetterTopic, partition, key: null, value: null, headers: markerHeaders(letter) },
  ]
}
