/**
 * A dead letter's headers: ours, plus the Kafka Connect names so that existing viewers understand them. Pure.
 *
 * The record's own headers stay byte for byte; whatever an earlier trip through the service had added is replaced.
 * Nothing here is taken from an answer's body but its code: no personal value can get in.
 */
import { historyHeaders, redrivesHeader, type Headers, type History } from './history.ts'

/** Why an event can never be settled. A closed set: header `checkresult-reason` and the label of the counter. */
export const DEAD_LETTER_REASONS = [
  'undecodable',
  'rejected',
  'unknown-code',
  'unreadable-answer',
  'not-completed',
  'unavailable',
] as const
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

export type Stage = 'decode' | 'check' | 'classify' | 'defer'

export interface DeadLetterCause {
  readonly reason: DeadLetterReason
  /** The vendor's code, or what was wrong with the bytes. */
  readonly code: string
  readonly stage: Stage
  /** One sentence for the operator, without values. */
  readonly message: string
}

const OURS = /^(checkresult-|__connect\.errors\.)/
const MAX_CODE_LENGTH = 100

export function deadLetterHeaders(
  original: Headers,
  { cause, history, failedAtMs, service }: DeadLetterFacts,
): Record<string, Headers[string]> {
  const code = printable(cause.code)
  return {
    ...withoutOurs(original),
    'checkresult-reason': Buffer.from(cause.reason),
    'checkresult-code': Buffer.from(code),
    'checkresult-stage': Buffer.from(cause.stage),
    'checkresult-attempts': Buffer.from(String(history.attempts)),
    'checkresult-failed-at': Buffer.from(new Date(failedAtMs).toISOString()),
    'checkresult-service': Buffer.from(service),
    ...redrivesHeader(history.redrives),
    '__connect.errors.topic': Buffer.from(history.source.topic),
    '__connect.errors.partition': Buffer.from(String(history.source.partition)),
    '__connect.errors.offset': Buffer.from(String(history.source.offset)),
    '__connect.errors.stage': Buffer.from(cause.stage),
    '__connect.errors.exception.class.name': Buffer.from(`checkresult.${cause.reason}`),
    '__connect.errors.exception.message': Buffer.from(cause.message),
  }
}

export interface DeadLetterFacts {
  readonly cause: DeadLetterCause
  readonly history: History
  readonly failedAtMs: number
  /** Name and version of the service. */
  readonly service: string
}

/** The headers of a retry copy: the record's own and its history. */
export function retryHeaders(original: Headers, history: History): Record<string, Headers[string]> {
  return { ...withoutOurs(original), ...historyHeaders(history) }
}

/** Tracing headers are all that a result inherits from its event. */
export function tracingHeaders(original: Headers): Record<string, Headers[string]> {
  const traced: Record<string, Headers[string]> = {}
  for (const name of ['traceparent', 'tracestate']) {
    const value = original[name]
    if (value !== undefined) traced[name] = value
  }
  return traced
}

/** What the record came with, whatever the service has put there since. */
export function withoutOurs(headers: Headers): Record<string, Headers[string]> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.test(name)))
}

/** A vendor's code is a short word. Whatever else stands in its place is not passed on. */
function printable(code: string): string {
  return /^[\w.\- ]+$/.test(code) && code.length <= MAX_CODE_LENGTH ? code : 'unprintable'
}
