/**
 * The headers of a dead letter: our own, plus those of Kafka Connect so that existing viewers understand them. Pure.
 *
 * The record's own headers are kept byte for byte; headers from an earlier pass through the service are replaced. Only
 * the code is taken from an answer's body, so no personal value can get in.
 */
import { NO_HEADERS, textHeader, type Header, type Headers } from '../records/headers.ts'
import { historyHeaders, redrivesHeader, type History } from '../records/history.ts'

/** Why an event gets no result. A closed set: the header `checkresult-reason` and the label of the counter. */
export const DEAD_LETTER_REASONS = [
  'undecodable',
  'rejected',
  'unknown-code',
  'unreadable-answer',
  'not-completed',
  'unavailable',
  /** Rejected until DEFER_MAX_AGE while others were answered. */
  'refused',
  /** The brokers permanently reject the result or the retry copy. */
  'unwritable',
] as const
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

export type Stage = 'decode' | 'check' | 'classify' | 'defer' | 'write'

export interface DeadLetterCause {
  readonly reason: DeadLetterReason
  /** The vendor's code, or what is wrong with the bytes. */
  readonly code: string
  readonly stage: Stage
  /** A message for the operator, without values of the record. */
  readonly message: string
}

/** Producers set `checkresult-force` to request a call even if the transaction was seen before. */
export const FORCE_HEADER = 'checkresult-force'
const OURS = /^(checkresult-(?!force$)|__connect\.errors\.)/
const MAX_CODE_LENGTH = 100

export function deadLetterHeaders(
  original: Headers,
  { cause, history, failedAtMs, service }: DeadLetterFacts,
): Headers {
  return [
    ...withoutOurs(original),
    textHeader('checkresult-reason', cause.reason),
    textHeader('checkresult-code', printableCode(cause.code)),
    textHeader('checkresult-stage', cause.stage),
    textHeader('checkresult-attempts', String(history.attempts)),
    textHeader('checkresult-failed-at', new Date(failedAtMs).toISOString()),
    textHeader('checkresult-service', service),
    ...redrivesHeader(history.redrives),
    textHeader('__connect.errors.topic', history.source.topic),
    textHeader('__connect.errors.partition', String(history.source.partition)),
    textHeader('__connect.errors.offset', String(history.source.offset)),
    textHeader('__connect.errors.stage', cause.stage),
    textHeader('__connect.errors.exception.class.name', `checkresult.${cause.reason}`),
    textHeader('__connect.errors.exception.message', cause.message),
  ]
}

export interface DeadLetterFacts {
  readonly cause: DeadLetterCause
  readonly history: History
  readonly failedAtMs: number
  /** Name and version of the service. */
  readonly service: string
}

/** The headers of a retry copy: the record's own headers and its history. */
export function retryHeaders(original: Headers, history: History): Headers {
  return [...withoutOurs(original), ...historyHeaders(history)]
}

/** A result inherits only the tracing headers of its event. */
export function tracingHeaders(original: Headers): Headers {
  return filtered(original, ({ name }) => name === 'traceparent' || name === 'tracestate')
}

/** Whether a header has one of the service's own names. */
export function isOurs({ name }: Header): boolean {
  return OURS.test(name)
}

/** The record's headers without those that the service added. */
export function withoutOurs(headers: Headers): Headers {
  return filtered(headers, (header) => !isOurs(header))
}

/** Avoids an array for the common case of a record without headers. */
function filtered(headers: Headers, keeps: (header: Header) => boolean): Headers {
  if (headers.length === 0) return NO_HEADERS
  const kept = headers.filter(keeps)
  return kept.length === 0 ? NO_HEADERS : kept
}

/** The vendor's codes are short words. Anything else might be personal, so it is replaced. */
export function printableCode(code: string): string {
  return /^[\w.\- ]+$/.test(code) && code.length <= MAX_CODE_LENGTH ? code : 'unprintable'
}
