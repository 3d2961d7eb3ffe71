/** The result of a redrive or a dry run: counts by reason and code, and the first few dead letters of each kind. */
import {
  positionName,
  type StoredDeadLetter,
  type DeadLetterPosition,
} from '../../core/dead-letters/stored-dead-letter.ts'
import { ForeignDeadLetters, type ForeignSummary } from './dead-letters.ts'

export type RedriveEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'interrupted' }
  /** Another redrive has claimed the dead-letter topic. */
  | { readonly kind: 'fenced' }
  /** It is unknown whether the last transaction was committed. The next run finds out. */
  | { readonly kind: 'failed'; readonly message: string }

export interface RedriveReport {
  readonly end: RedriveEnd
  /** One for each pair of reason and code. */
  readonly groups: readonly RedriveGroup[]
  /** Dead letters that stay because they failed too often, limited to the first few. */
  readonly staying: readonly DeadLetterPosition[]
  /** Dead letters that cannot be redriven, limited to the first few. */
  readonly unfit: readonly UnfitDeadLetter[]
  /** Selected dead letters of other pipelines. */
  readonly foreign: ForeignSummary
  /** Selected positions at which no dead letter waits. */
  readonly absent: readonly string[]
}

export interface RedriveGroup {
  readonly reason: string
  readonly code: string
  /** Redriven, or would be in a dry run. */
  readonly sent: number
  /** Failed too often. */
  readonly stays: number
  /** Permanently rejected by the brokers. */
  readonly refused: number
  /** The dead letter does not contain the complete event. */
  readonly incomplete: number
}

export interface UnfitDeadLetter {
  readonly deadLetter: StoredDeadLetter
  readonly why:
    | { readonly kind: 'refused'; readonly code: string }
    | { readonly kind: 'incomplete'; readonly leftOut: readonly string[] }
}

const MAX_NAMED = 20

export class RedriveTally {
  sent = 0
  readonly #groups = new Map<string, RedriveGroup>()
  readonly #staying: DeadLetterPosition[] = []
  readonly #unfit: UnfitDeadLetter[] = []
  readonly #foreign = new ForeignDeadLetters()
  readonly #absent: Set<string>

  /** `positions` are those that were selected by name. */
  constructor(positions: ReadonlySet<string>) {
    this.#absent = new Set(positions)
  }

  found(deadLetter: StoredDeadLetter): void {
    this.#absent.delete(positionName(deadLetter))
  }

  foreign(deadLetter: StoredDeadLetter): void {
    this.#foreign.add(deadLetter)
  }

  stays(deadLetter: StoredDeadLetter): void {
    this.#count(deadLetter, 'stays')
    if (this.#staying.length < MAX_NAMED) this.#staying.push(deadLetter)
  }

  unfit(deadLetter: StoredDeadLetter, why: UnfitDeadLetter['why']): void {
    this.#count(deadLetter, why.kind)
    if (this.#unfit.length < MAX_NAMED) this.#unfit.push({ deadLetter, why })
  }

  committed(deadLetters: readonly StoredDeadLetter[]): void {
    this.sent += deadLetters.length
    for (const deadLetter of deadLetters) this.#count(deadLetter, 'sent')
  }

  report(end: RedriveEnd): RedriveReport {
    return {
      end,
      groups: [...this.#groups.values()],
      staying: this.#staying,
      unfit: this.#unfit,
      foreign: this.#foreign.summary,
      absent: [...this.#absent],
    }
  }

  #count({ reason, code }: StoredDeadLetter, what: 'sent' | 'stays' | 'refused' | 'incomplete'): void {
    const name = `${reason} ${code}`
    const none = { reason, code, sent: 0, stays: 0, refused: 0, incomplete: 0 }
    const group = this.#groups.get(name) ?? none
    this.#groups.set(name, { ...group, [what]: group[what] + 1 })
  }
}
