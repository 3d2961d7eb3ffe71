/** What a redrive has done, or would do: counted by reason and code, the first letters of each kind named. */
import { placeName, type Letter, type LetterPlace } from '../core/letter.ts'
import { ForeignLetters, type ForeignSummary } from './dead-letters.ts'

export type RedriveEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'interrupted' }
  /** Another redrive has taken over. */
  | { readonly kind: 'fenced' }
  /** Whether the last transaction was committed is unknown: the next run will see. */
  | { readonly kind: 'failed'; readonly message: string }

export interface RedriveReport {
  readonly end: RedriveEnd
  /** One for each reason and code. */
  readonly groups: readonly RedriveGroup[]
  /** The first of those that stay because they failed too often. */
  readonly staying: readonly LetterPlace[]
  /** The first of those that cannot be put back. */
  readonly unfit: readonly UnfitLetter[]
  /** Selected letters of other pipelines. */
  readonly foreign: ForeignSummary
  /** Named in the selection, but no letter that waits. */
  readonly absent: readonly string[]
}

export interface RedriveGroup {
  readonly reason: string
  readonly code: string
  /** Put back, or to be put back. */
  readonly sent: number
  /** Failed too often. */
  readonly stays: number
  /** Refused by the brokers for good. */
  readonly refused: number
  /** The letter does not hold the whole event. */
  readonly incomplete: number
}

export interface UnfitLetter {
  readonly letter: Letter
  readonly why:
    | { readonly kind: 'refused'; readonly code: string }
    | { readonly kind: 'incomplete'; readonly leftOut: readonly string[] }
}

const MAX_NAMED = 20

export class RedriveTally {
  sent = 0
  readonly #groups = new Map<string, RedriveGroup>()
  readonly #staying: LetterPlace[] = []
  readonly #unfit: UnfitLetter[] = []
  readonly #foreign = new ForeignLetters()
  readonly #absent: Set<string>

  /** `places` are those that were selected by name. */
  constructor(places: ReadonlySet<string>) {
    this.#absent = new Set(places)
  }

  found(letter: Letter): void {
    this.#absent.delete(placeName(letter))
  }

  foreign(letter: Letter): void {
    this.#foreign.add(letter)
  }

  stays(letter: Letter): void {
    this.#count(letter, 'stays')
    if (this.#staying.length < MAX_NAMED) this.#staying.push(letter)
  }

  unfit(letter: Letter, why: UnfitLetter['why']): void {
    this.#count(letter, why.kind)
    if (this.#unfit.length < MAX_NAMED) this.#unfit.push({ letter, why })
  }

  committed(letters: readonly Letter[]): void {
    this.sent += letters.length
    for (const letter of letters) this.#count(letter, 'sent')
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

  #count({ reason, code }: Letter, what: 'sent' | 'stays' | 'refused' | 'incomplete'): void {
    const name = `${reason} ${code}`
    const none = { reason, code, sent: 0, stays: 0, refused: 0, incomplete: 0 }
    const group = this.#groups.get(name) ?? none
    this.#groups.set(name, { ...group, [what]: group[what] + 1 })
  }
}
