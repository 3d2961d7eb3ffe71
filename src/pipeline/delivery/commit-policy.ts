/** Decides when a shard commits its finished records and how many in one transaction. Never throws. */
import type { Clock } from '../../ports.ts'

export const MAX_COMMIT_RECORDS = 500
/** With up to this many unfinished records a shard is idle and commits at once, because waiting gains nothing. */
const IDLE_UP_TO = 8
/**
 * How long a busy shard collects outputs for one transaction, and the longer time while it has records that are not
 * started.
 */
const LINGER_MS = { busy: 50, backlog: 200 } as const

export interface Load {
  /** Records that are started but not finished. */
  readonly active: number
  /** Records that are not started. */
  readonly waiting: number
}

export class CommitPolicy {
  readonly #clock: Pick<Clock, 'after'>
  /** Reduced after a rejection, until the rejected output is found. */
  #limit = MAX_COMMIT_RECORDS
  #cancelLinger: (() => void) | null = null

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  /** Whether the shard is busy and {@link schedule} has been called: it changes nothing until the shard is idle. */
  isCollecting({ active, waiting }: Load): boolean {
    return this.#cancelLinger !== null && active + waiting > IDLE_UP_TO
  }

  /** The maximum number of records in the next transaction. */
  get limit(): number {
    return this.#limit
  }

  /** Calls `commit` now or after a delay, because a transaction costs the same for one record as for hundreds. */
  schedule({ active, waiting }: Load, commit: () => void): void {
    if (active + waiting <= IDLE_UP_TO) return commit()
    const lingerMs = waiting > 0 ? LINGER_MS.backlog : LINGER_MS.busy
    this.#cancelLinger ??= this.#clock.after(lingerMs, commit)
  }

  /** Called when a commit begins or is no longer needed. */
  cancel(): void {
    this.#cancelLinger?.()
    this.#cancelLinger = null
  }

  /** One of these records has a rejected output, so the next transaction has half as many. */
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
