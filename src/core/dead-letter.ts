/**
 * A dead letter's headers: ours, plus the Kafka Connect names so that existing viewers understand them. Pure.
 *
 * The record's own headers stay byte for byte; whatever an earlier trip through the service had added is replaced.
 * Nothing here is taken from an answer's body but its code: no personal value can get in.
 */
import { NO_HEADERS, textHeader, type Header, type Headers } from './headers.ts'
import { historyHeaders, redrivesHeader, type History } from './history.ts'

/** Why an event can never be settled. A closed set: header `checkresult-reason` and the label of the counter. */
export const DEAD_LETTER_REASONS = [
  'undecodable',
  'rejected',
  'unknown-code',
  'unreadable-answer',
  'not-completed',
  'unavailable',
  /** Refused for DEFER_MAX_AGE while others were answered. */
  'refused',
  /** The brokers refuse the result or the retry copy for good. */
  'unwritable',
] as const
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

export type Stage = 'decode' | 'check' | 'classify' | 'defer' | 'write'

export interface DeadLetterCause {
  readonly reason: DeadLetterReason
  /** The vendor's code, or what was wrong with the bytes. */
  readonly code: string
  readonly stage: Stage
  /** One message for the operator, without values. */
  readonly message: string
}

/** `checkresult-force` is the producer's: it asks for a call whatever was seen of the transaction before. */
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

/** The headers of a retry copy: the record's own and its history. */
export function retryHeaders(original: Headers, history: History): Headers {
  return [...withoutOurs(original), ...historyHeaders(history)]
}

/** Tracing headers are all that a result inherits from its event. */
export function tracingHeaders(original: Headers): Headers {
  return filtered(original, ({ name }) => name === 'traceparent' || name === 'tracestate')
}

/** Whether the service has added the header, or somebody who uses its names. */
export function isOurs({ name }: Header): boolean {
  return OURS.test(name)
}

/** The headers the record came with, without those the service has added since. */
export function withoutOurs(headers: Headers): Headers {
  return filtered(headers, (header) => !isOurs(header))
}

/** Most events have no headers at all. */
function filtered(headers: Headers, keeps: (header: Header) => boolean): Headers {
  if (headers.length === 0) return NO_HEADERS
  const kept = headers.filter(keeps)
  return kept.length === 0 ? NO_HEADERS : kept
}

/** A vendor's code is a short word. Anything else in its place is not passed on: it may be personal. */
export function printableCode(code: string): string {
  return /^[\w.\- ]+$/.test(code) && code.length <= MAX_CODE_LENGTH ? code : 'unprintable'
}
