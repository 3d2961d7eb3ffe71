/**
 * Compares what was sent with what came out. Every record must come out exactly once: as a result, as a dead letter,
 * or counted as skipped by the service. Records are not stored but generated again when their output arrives.
 */
import { checkDeadLetter, checkResult, sourceOf, type Names } from './outputs.ts'
import type { StoredRecord } from './record-batch.ts'
import type { Kind, Outcome } from './kinds.ts'
import { isRepeated, type FuzzRecord } from './records.ts'

export const PROBLEMS = [
  'stuck',
  'lost',
  'repeated',
  'wrong',
  'changed',
  'leaked',
  'late',
  'strange',
] as const
export type ProblemKind = (typeof PROBLEMS)[number]

export interface Problem {
  readonly kind: ProblemKind
  /** Null if the problem does not concern a single record. */
  readonly number: number | null
  readonly about: string
  readonly detail: string
}

export interface LedgerOptions {
  readonly seed: number
  readonly names: Names
  readonly recordOf: (number: number) => FuzzRecord
  /** Whether an outage delayed a good record that was sent and seen at these times. */
  readonly isExcused: (sentMs: number, seenMs: number) => boolean
  readonly lateMs: number
  /** Age at which the service gives up on an event. */
  readonly maxAgeMs: number
}

type State = 'sent' | 'result' | 'dead-letter' | 'aborted'

interface Entry {
  state: State
  readonly sentMs: number
}

interface Early {
  readonly topic: string
  readonly stored: StoredRecord
  readonly seenMs: number
}

const MAX_KEPT = 200

export class Ledger {
  readonly #options: LedgerOptions
  readonly #entries = new Map<number, Entry>()
  /** For each partition, the record number by offset. */
  readonly #numbers: Map<number, number>[] = []
  readonly #counts = new Map<Kind, Record<Outcome, number>>()
  readonly #problemCounts = new Map<ProblemKind, number>()
  readonly #latencies: number[] = []
  /** Outputs that arrived before the broker acknowledged their input records. */
  readonly #early = new Map<string, Early>()
  readonly problems: Problem[] = []
  sent = 0
  out = 0
  /** Records without an output that must not be skipped. */
  readonly owed = new Set<number>()
  /** Records that would have had a result if they had not reached the maximum age. */
  givenUp = 0
  aborted = 0
  refused = 0

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** Number of problems of this kind. Only the first ones are in {@link problems}. */
  count(kind: ProblemKind): number {
    return this.#problemCounts.get(kind) ?? 0
  }

  get counts(): ReadonlyMap<Kind, Readonly<Record<Outcome, number>>> {
    return this.#counts
  }

  get problemCount(): Readonly<Record<ProblemKind, number>> {
    return Object.fromEntries(PROBLEMS.map((kind) => [kind, this.count(kind)])) as Record<ProblemKind, number>
  }

  /** Milliseconds from the acknowledgement of good records to their results. */
  get latencies(): readonly number[] {
    return this.#latencies
  }

  noteSent(record: FuzzRecord, partition: number, offset: bigint): void {
    this.sent += 1
    if (this.#isOwed(record)) this.owed.add(record.number)
    this.#note(record.number, partition, offset, 'sent')
  }

  noteAborted({ number }: FuzzRecord, partition: number, offset: bigint): void {
    this.aborted += 1
    this.#note(number, partition, offset, 'aborted')
  }

  noteRefused(): void {
    this.refused += 1
  }

  #isOwed({ number, outcomes }: FuzzRecord): boolean {
    return !outcomes.has('skip') && !isRepeated(this.#options.seed, number)
  }

  #note(number: number, partition: number, offset: bigint, state: State): void {
    const numbers = (this.#numbers[partition] ??= new Map())
    numbers.set(Number(offset), number)
    this.#entries.set(number, { state, sentMs: performance.now() })
    const position = `${partition}:${offset}`
    const early = this.#early.get(position)
    if (early === undefined) return
    this.#early.delete(position)
    this.noteOutput(early.topic, early.stored, early.seenMs)
  }

  numberAt(partition: number, offset: number): number | null {
    return this.#numbers[partition]?.get(offset) ?? null
  }

  noteOutput(topic: string, stored: StoredRecord, seenMs: number): void {
    const { names, recordOf } = this.#options
    const outcome = topic === names.result ? 'result' : 'dead-letter'
    const source = sourceOf(outcome, stored)
    if (source?.topic !== names.input) {
      this.#reportStrange(outcome)
      return
    }
    const number = this.numberAt(source.partition, Number(source.offset))
    const entry = number === null ? undefined : this.#entries.get(number)
    if (number === null || entry === undefined) {
      this.#early.set(`${source.partition}:${source.offset}`, { topic, stored, seenMs })
      return
    }
    const record = recordOf(number)
    const about = `${record.kind}: ${record.about}; answers: ${record.plan.name}`
    if (entry.state === 'aborted') {
      this.report({
        kind: 'strange',
        number,
        about,
        detail: 'It came out although its transaction was aborted.',
      })
      return
    }
    if (entry.state !== 'sent') {
      this.report({
        kind: 'repeated',
        number,
        about,
        detail: `It came out twice: as ${entry.state}, then as ${outcome}.`,
      })
      return
    }
    entry.state = outcome
    this.out += 1
    this.owed.delete(number)
    this.#tally(record.kind, outcome)
    if (!record.outcomes.has(outcome) && !this.#isTooOld(record, entry, stored, seenMs)) {
      const expected = [...record.outcomes].join(' or ')
      const reason = outcome === 'dead-letter' ? ` (${reasonOf(stored)})` : ''
      this.report({ kind: 'wrong', number, about, detail: `${outcome}${reason} instead of ${expected}` })
    }
    const check = outcome === 'result' ? checkResult : checkDeadLetter
    for (const { kind, detail } of check(record, stored)) this.report({ kind, number, about, detail })
    if (record.isGood) this.#noteLatency(number, about, entry.sentMs, seenMs)
  }

  #reportStrange(about: string): void {
    this.report({
      kind: 'strange',
      number: null,
      about,
      detail: 'The output does not belong to any record that was sent.',
    })
  }

  /**
   * On a slow machine or during an outage, a record that is answered at the second or third call may reach the
   * maximum age first. If the machine is too slow, late good records show it.
   */
  #isTooOld({ plan }: FuzzRecord, { sentMs }: Entry, stored: StoredRecord, seenMs: number): boolean {
    const isGivenUp = /^(unavailable|not-completed|refused)/.test(reasonOf(stored))
    const isTooOld = !plan.isHealthy && isGivenUp && seenMs - sentMs >= this.#options.maxAgeMs
    if (isTooOld) this.givenUp += 1
    return isTooOld
  }

  #noteLatency(number: number, about: string, sentMs: number, seenMs: number): void {
    const { isExcused, lateMs } = this.#options
    if (isExcused(sentMs, seenMs)) return
    this.#latencies.push(seenMs - sentMs)
    if (seenMs - sentMs <= lateMs) return
    const detail = `A good event took ${Math.round(seenMs - sentMs)} ms.`
    this.report({ kind: 'late', number, about, detail })
  }

  #tally(kind: Kind, outcome: Outcome): void {
    const counts = this.#counts.get(kind) ?? { result: 0, 'dead-letter': 0, skip: 0 }
    counts[outcome] += 1
    this.#counts.set(kind, counts)
  }

  report(problem: Problem): void {
    const count = this.count(problem.kind)
    this.#problemCounts.set(problem.kind, count + 1)
    if (count < MAX_KEPT) this.problems.push(problem)
  }

  /**
   * Accounts for records without an output: their number must equal the service's count of skipped records. A record
   * that must not be skipped is lost.
   */
  close(skipped: number): void {
    const { seed, recordOf } = this.#options
    for (const { topic } of this.#early.values()) this.#reportStrange(topic)
    let silent = 0
    for (const [number, { state }] of this.#entries) {
      if (state !== 'sent') continue
      silent += 1
      const record = recordOf(number)
      const about = `${record.kind}: ${record.about}; answers: ${record.plan.name}`
      this.#tally(record.kind, 'skip')
      const mayBeSkipped =
        record.outcomes.has('skip') || (isRepeated(seed, number) && this.#isOut(number + 1))
      if (!mayBeSkipped) this.report({ kind: 'lost', number, about, detail: 'It never came out.' })
      else if (
        record.kind === 'duplicate' &&
        record.about.startsWith('duplicate') &&
        !this.#isOut(number - 1)
      )
        this.report({
          kind: 'lost',
          number,
          about,
          detail: 'Neither it nor the first event of its transaction came out.',
        })
    }
    if (silent !== skipped) {
      const detail = `${silent} records have no output, but the service counted ${skipped} as skipped.`
      this.report({ kind: silent > skipped ? 'lost' : 'strange', number: null, about: 'counters', detail })
    }
  }

  #isOut(number: number): boolean {
    const state = this.#entries.get(number)?.state
    // The first of the two may not have been written, or may be in an aborted transaction.
    return state !== 'sent'
  }
}

function reasonOf({ headers }: StoredRecord): string {
  const text = (name: string): string => headers.findLast(([one]) => one === name)?.[1]?.toString() ?? ''
  return `${text('checkresult-reason')}, ${text('checkresult-code')}`
}
