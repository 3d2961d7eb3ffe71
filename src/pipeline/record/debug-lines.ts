/**
 * Debug lines about processing a record: each call, who caused a rejection, and whether another call follows. They contain
 * nothing from the event itself.
 */
import { printableCode } from '../../core/dead-letters/dead-letter.ts'
import type { InputRecord, Log } from '../../ports.ts'

interface EndedCall {
  readonly code: string
  readonly outcome: string
  /** Why it is not a result; null if the outcome says everything. */
  readonly reason: string | null
  readonly durationMs: number
}

export function callEnded(
  log: Pick<Log, 'debug'>,
  record: InputRecord,
  { code, outcome, reason, durationMs }: EndedCall,
): void {
  log.debug?.('A call has returned.', {
    ...positionOf(record),
    code: printableCode(code),
    outcome,
    ...(reason === null ? {} : { reason }),
    durationMs,
  })
}

/** `reason` is the likely cause of the rejection: `record`, `account`, or `undecided`. */
export function callRefused(
  log: Pick<Log, 'debug'>,
  record: InputRecord,
  { reason, outcome }: { readonly reason: string; readonly outcome: string },
): void {
  log.debug?.(
    'The API rejected a call. The reason names the likely cause: the record, the account, or undecided.',
    { ...positionOf(record), reason, outcome },
  )
}

/** `delayMs` is the time until the next call; null if no call follows now. */
export function nextCall(
  log: Pick<Log, 'debug'>,
  record: InputRecord,
  { outcome, attempts, delayMs }: { outcome: string; attempts: number; delayMs: number | null },
): void {
  const isOver = outcome === 'final' || outcome === 'rejected'
  log.debug?.(
    delayMs === null
      ? `No further call follows for this record${isOver ? '' : ' for now'}.`
      : 'The record makes another call after a short delay.',
    {
      ...positionOf(record),
      outcome,
      attempt: attempts,
      ...(delayMs === null ? {} : { durationMs: delayMs }),
    },
  )
}

function positionOf({ topic, partition, offset }: InputRecord) {
  return { topic, partition, offset: String(offset) }
}
