/**
 * Logs that events became dead letters: the first one of each reason at once, then at most one line per minute and
 * reason with their number and the position of the first one. Called after their transactions are committed.
 */
import type { DeadLetterReason } from '../../core/dead-letters/dead-letter.ts'
import type { SourceCoordinates } from '../../core/records/history.ts'
import type { Clock, Log } from '../../ports.ts'

export interface NoticedDeadLetter {
  readonly reason: DeadLetterReason
  readonly code: string
  readonly source: SourceCoordinates
}

/** Dead letters of one reason that are not logged yet. */
interface Pending {
  readonly first: NoticedDeadLetter
  readonly codes: Map<string, number>
}

/** The minute after a line was logged. */
interface Window {
  readonly cancel: () => void
  pending: Pending | null
}

const INTERVAL_MS = 60_000
/** The codes come from the vendor, so a line names a few and counts the rest. */
const MAX_CODES = 5

export class DeadLetterNotices {
  readonly #log: Pick<Log, 'warn'>
  readonly #clock: Pick<Clock, 'after'>
  readonly #windows = new Map<DeadLetterReason, Window>()

  constructor({ log, clock }: { readonly log: Pick<Log, 'warn'>; readonly clock: Pick<Clock, 'after'> }) {
    this.#log = log
    this.#clock = clock
  }

  add(deadLetter: NoticedDeadLetter): void {
    const window = this.#windows.get(deadLetter.reason)
    const pending = window?.pending ?? { first: deadLetter, codes: new Map<string, number>() }
    count(pending.codes, deadLetter.code)
    if (window === undefined) this.#announce(pending)
    else window.pending = pending
  }

  /** Logs the rest, because the service stops. */
  close(): void {
    for (const { cancel, pending } of this.#windows.values()) {
      cancel()
      if (pending !== null) this.#write(pending)
    }
    this.#windows.clear()
  }

  #announce(pending: Pending): void {
    const { reason } = pending.first
    this.#write(pending)
    const cancel = this.#clock.after(INTERVAL_MS, () => {
      const next = this.#windows.get(reason)?.pending ?? null
      this.#windows.delete(reason)
      if (next !== null) this.#announce(next)
    })
    this.#windows.set(reason, { cancel, pending: null })
  }

  #write({ first, codes }: Pending): void {
    const { reason, code, source } = first
    const { topic, partition, offset } = source
    const total = [...codes.values()].reduce((sum, one) => sum + one, 0)
    this.#log.warn(message(reason, total, codes), {
      reason,
      code,
      count: total,
      topic,
      partition,
      offset: String(offset),
    })
  }
}

const OTHERS = 'others'

function count(codes: Map<string, number>, code: string): void {
  const name = codes.has(code) || codes.size < MAX_CODES ? code : OTHERS
  codes.set(name, (codes.get(name) ?? 0) + 1)
}

function message(reason: DeadLetterReason, total: number, codes: ReadonlyMap<string, number>): string {
  const list = `List ${total === 1 ? 'it' : 'them'} with \`npm start -- dlq list --reason ${reason}\`.`
  if (total === 1) return `An event became a dead letter. The service continues with the next event. ${list}`
  const named = [...codes].map(([code, times]) => `${code} ${grouped(times)}`).join(', ')
  return (
    `${grouped(total)} events became dead letters within a minute (${named}). Topic, partition and offset are those of the first one. ` +
    `The service continues with the next events. ${list}`
  )
}

/** The log withholds long numbers without separators, because they might be personal. */
function grouped(amount: number): string {
  return amount.toLocaleString('en')
}
