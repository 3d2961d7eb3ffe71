/**
 * Detects that too many records become dead letters for the records to be the cause: a bad deployment, a changed
 * schema, or a new form of the vendor's answers. Pure: counts the last records that ended as a result or a dead letter.
 */
import type { DeadLetterReason } from './dead-letter.ts'

/** The number of records that the share is computed over. */
export const WINDOW_RECORDS = 100
/** This many unknown codes in a row mean that the vendor has changed something. */
const UNKNOWN_IN_A_ROW = 20

export class DeadLetterRule {
  readonly #max: number
  /**
   * A ring with 1 for each dead letter among the last records. `#at` is the oldest entry, which is overwritten next.
   */
  readonly #recent = new Uint8Array(WINDOW_RECORDS)
  #at = 0
  #count = 0
  #unknownInARow = 0

  /** `share` is a fraction of the last 100 records, above 0 and at most 1. */
  constructor(share: number) {
    this.#max = share * WINDOW_RECORDS
  }

  addResult(): void {
    this.#add(0)
    this.#unknownInARow = 0
  }

  /** True if this dead letter exceeds the limit. Counting then starts again. */
  addDeadLetter(reason: DeadLetterReason): boolean {
    this.#add(1)
    this.#unknownInARow = reason === 'unknown-code' ? this.#unknownInARow + 1 : 0
    if (this.#count <= this.#max && this.#unknownInARow < UNKNOWN_IN_A_ROW) return false
    this.#recent.fill(0)
    this.#count = 0
    this.#unknownInARow = 0
    return true
  }

  #add(deadLetter: 0 | 1): void {
    this.#count += deadLetter - (this.#recent[this.#at] ?? 0)
    this.#recent[this.#at] = deadLetter
    this.#at = (this.#at + 1) % WINDOW_RECORDS
  }
}
