/**
 * What a record's processing logs at level `debug`: each call, what is made of a refusal, and whether another call follows. No
 * line holds a part of the event.
 */
import { printableCode } from '../core/dead-letter.ts'
import type { InputRecord, Log } from '../ports.ts'

interface EndedCall {
  readonly code: string
  readonly outcome: string
  readonly durationMs: number
}

export function callEnded(
  log: Pick<Log, 'debug'>,
  { topic, partition, offset }: InputRecord,
  { code, outcome, durationMs }: EndedCall,
): void {
  log.debug?.('A call has ended.', {
    topic,
    partition,
    offset: String(offset),
    code: printableCode(code),
    outcome,
    durationMs,
  })
}

/** `reason` is the one who is taken to be refused: `record`, `account`, or `undecided`. */
export function callRefused(
  log: Pick<Log, 'debug'>,
  { topic, partition, offset }: InputRecord,
  { reason, outcome }: { readonly reason: string; readonly outcome: string },
): void {
  log.debug?.(
    'The API refused a call. The reason says whether that is taken to mean the account or the record.',
    {
      topic,
      partition,
      offset: String(offset),
      reason,
      outcome,
    },
  )
}

/** `delayMs` is the time until the next call; null if none is made now. */
export function nextCall(
  log: Pick<Log, 'debug'>,
  { topic, partition, offset }: InputRecord,
  { outcome, attempts, delayMs }: { outcome: string; attempts: number; delayMs: number | null },
): void {
  if (delayMs === null) {
    log.debug?.('No further call is made for the record now.', {
      topic,
      partition,
      offset: String(offset),
      outcome,
      attempt: attempts,
    })
  } else {
    log.debug?.('The call is repeated after a short delay.', {
      topic,
      partition,
      offset: String(offset),
      outcome,
      attempt: attempts,
      durationMs: delayMs,
    })
  }
}
