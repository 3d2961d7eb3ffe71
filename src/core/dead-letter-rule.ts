/**
 * When so many records become dead letters that the cause is hardly the records: a bad deploy, a changed schema, an answer
 * the vendor has given a new form. Pure: counts the last records that came to an end, as a result or a dead letter, and says
 * when it is too much.
 */
import type { DeadLetterReason } from './dead-letter.ts'

/** Records the share is taken of. */
export const WINDOW_RECORDS = 100
/** A code this version does not know, so many times in a row, is a change at the vendor's. */
const UNKNOWN_IN_A_ROW = 20

export class DeadLetterRule {
  readonly #max: number
  /** 1 for each dead letter among the last records; `#at` is the oldest, the next to be overwritten. */
  readonly #recent = new Uint8Array(WINDOW_RECORDS)
  #at = 0
  #count = 0
  #unknownInARow = 0

  /** `share` of the last hundred records, above 0 and at most 1. */
  constructor(share: number) {
    this.#max = share * WINDOW_RECORDS
  }

  addResult(): void {
    this.#note(0)
    this.#unknownInARow = 0
  }

  /** True when this one makes it too many; counting then begins anew. */
  addDeadLetter(reason: DeadLetterReason): boolean {
    this.#note(1)
    this.#unknownInARow = reason === 'unknown-code' ? this.#unknownInARow + 1 : 0
    if (this.#count <= this.#max && this.#unknownInARow < UNKNOWN_IN_A_ROW) return false
    this.#recent.fill(0)
    this.#count = 0
    this.#unknownInARow = 0
    return true
  }

  #note(deadLetter: 0 | 1): void {
    this.#count += deadLetter - (this.#recent[this.#at] ?? 0)
    this.#recent[this.#at] = deadLetter
    this.#at = (this.#at + 1) % WINDOW_RECORDS
  }
}
