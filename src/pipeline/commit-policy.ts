/** When a lane commits what it has finished, and how many records in one transaction. Never throws. */
import type { Clock } from '../ports.ts'

export const MAX_COMMIT_RECORDS = 500
/** Unfinished records up to which a lane counts as idle: it commits at once, because there is nothing to wait for. */
const IDLE_UP_TO = 8
/** How long a busy lane gathers outputs for one transaction; longer while records wait that have not been started. */
const LINGER_MS = { busy: 50, backlog: 200 } as const

export interface Load {
  /** Records whose work has begun and has not ended. */
  readonly active: number
  /** Records whose work has not begun. */
  readonly waiting: number
}

export class CommitPolicy {
  readonly #clock: Pick<Clock, 'after'>
  /** Fewer after a refusal, until the output that is refused is found. */
  #limit = MAX_COMMIT_RECORDS
  #cancelLinger: (() => void) | null = null

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  /** Records in the next transaction, at most. */
  get limit(): number {
    return this.#limit
  }

  /** Calls `commit` now or after a while: a transaction costs the same for one record as for hundreds. */
  soon({ active, waiting }: Load, commit: () => void): void {
    if (active + waiting <= IDLE_UP_TO) return commit()
    const lingerMs = waiting > 0 ? LINGER_MS.backlog : LINGER_MS.busy
    this.#cancelLinger ??= this.#clock.after(lingerMs, commit)
  }

  /** A commit begins, or none is wanted any more. */
  cancel(): void {
    this.#cancelLinger?.()
    this.#cancelLinger = null
  }

  /** One of these records has an output that is refused: half as many next time. */
  refused(records: number): void {
    this.#limit = Math.ceil(records / 2)
  }

  committed(): void {
    this.#limit = Math.min(this.#limit * 2, MAX_COMMIT_RECORDS)
  }

  reset(): void {
    this.#limit = MAX_COMMIT_RECORDS
  }
}
