/**
 * What a reply means: the one table of the vendor's codes. Pure and total: a code nobody has seen has a row too.
 *
 * By the body's `Code` first, by status second: 404 means "later" only for `ProcessNotCompleted`, and `Throttling.Api`
 * comes with 403 on one page of the vendor's and with 400 on another.
 */
import type { CheckAnswer, Reply } from './answer.ts'
import type { DeadLetterReason } from './dead-letter.ts'
import type { DeferReason } from './defer.ts'
import type { GateReason } from './gate.ts'

export type Outcome =
  | { readonly kind: 'settled'; readonly answer: CheckAnswer }
  | { readonly kind: 'deferred'; readonly reason: DeferReason; readonly code: string }
  /** Not the record's fault: it goes again and uses up no attempt. */
  | { readonly kind: 'throttled'; readonly code: string; readonly retryAfterMs: number | null }
  /** Quick retries first, then deferred. */
  | { readonly kind: 'unavailable'; readonly code: string }
  | { readonly kind: 'rejected'; readonly reason: DeadLetterReason; readonly code: string }
  /** Account-wide: the gate closes and the record goes again. */
  | { readonly kind: 'blocked'; readonly gate: GateReason; readonly code: string }

type Verdict =
  | { kind: 'deferred'; reason: DeferReason }
  | { kind: 'throttled' }
  | { kind: 'unavailable' }
  | { kind: 'rejected'; reason: DeadLetterReason }
  | { kind: 'blocked'; gate: GateReason }

/** A row matches a whole code, or, ending in `*`, every code that begins so. The first match counts. */
const CODES: readonly (readonly [pattern: string, verdict: Verdict])[] = [
  // The customer is not done: the callback was early, or the flow was left.
  ['ProcessNotCompleted', { kind: 'deferred', reason: 'not-completed' }],
  // Ours, our neighbours' in the account, or the gateway's own cap.
  ['Throttling*', { kind: 'throttled' }],
  ['InternalError*', { kind: 'unavailable' }],
  ['ServiceUnavailable*', { kind: 'unavailable' }],
  // A nonce met twice is an accident of one attempt: the next one draws a new nonce.
  ['SignatureNonceUsed', { kind: 'unavailable' }],
  ['TransactionIdInvalid', { kind: 'rejected', reason: 'rejected' }],
  ['InvalidParameter*', { kind: 'rejected', reason: 'rejected' }],
  // The event carried an empty id. `MissingAccessKeyId` and the like are ours, and stand before the rest.
  ['MissingAccessKeyId*', { kind: 'blocked', gate: 'credentials' }],
  ['MissingSecurityToken*', { kind: 'blocked', gate: 'credentials' }],
  ['Missing*', { kind: 'rejected', reason: 'rejected' }],
  // Overdue payments: everything is refused until the account is topped up.
  ['Forbidden.AccountAccessDenied', { kind: 'blocked', gate: 'account' }],
  ['Forbidden*', { kind: 'blocked', gate: 'credentials' }],
  ['NoPermission*', { kind: 'blocked', gate: 'credentials' }],
  ['InvalidAccessKeyId*', { kind: 'blocked', gate: 'credentials' }],
  ['InvalidSecurityToken*', { kind: 'blocked', gate: 'credentials' }],
  ['SignatureDoesNotMatch', { kind: 'blocked', gate: 'credentials' }],
  ['IncompleteSignature', { kind: 'blocked', gate: 'credentials' }],
  // Our clock is more than 15 minutes off.
  ['InvalidTimeStamp*', { kind: 'blocked', gate: 'credentials' }],
  // The endpoint is not this product's: a wrong setting, the same for every record.
  ['InvalidApi.NotFound', { kind: 'blocked', gate: 'account' }],
  ['InvalidProduct.NotFound', { kind: 'blocked', gate: 'account' }],
  ['InvalidProtocol*', { kind: 'blocked', gate: 'account' }],
  ['InvalidVersion*', { kind: 'blocked', gate: 'account' }],
  ['InvalidAction*', { kind: 'blocked', gate: 'account' }],
  ['UnsupportedHTTPMethod', { kind: 'blocked', gate: 'account' }],
]

const SUCCESS = new Set(['Success', '200'])

const whole = new Map(CODES.filter(([pattern]) => !pattern.endsWith('*')))
const prefixes = CODES.filter(([pattern]) => pattern.endsWith('*')).map(
  ([pattern, verdict]) => [pattern.slice(0, -1), verdict] as const,
)

export function classify(reply: Reply): Outcome {
  if (reply.kind === 'no-answer') return classifyNoAnswer(reply)
  const { code, status, answer, retryAfterMs } = reply
  if (SUCCESS.has(code)) return classifySuccess(code, answer)
  if (retryAfterMs !== null && status >= 400) return { kind: 'throttled', code, retryAfterMs }
  const verdict = whole.get(code) ?? prefixes.find(([prefix]) => code.startsWith(prefix))?.[1]
  if (verdict === undefined) return classifyUnknown(code, status)
  return verdict.kind === 'throttled' ? { kind: 'throttled', code, retryAfterMs } : { ...verdict, code }
}

function classifySuccess(code: string, answer: CheckAnswer | null): Outcome {
  if (answer === null || answer.passed === null) {
    return { kind: 'rejected', reason: 'unreadable-answer', code }
  }
  // `P` (KYC_GLOBAL) becomes Y or N later.
  return answer.passed === 'P' ? { kind: 'deferred', reason: 'pending', code } : { kind: 'settled', answer }
}

function classifyUnknown(code: string, status: number): Outcome {
  if (status >= 500) return { kind: 'unavailable', code: code === '' ? `HTTP ${status}` : code }
  if (status === 429) return { kind: 'throttled', code, retryAfterMs: null }
  return { kind: 'rejected', reason: 'unknown-code', code: code === '' ? `HTTP ${status}` : code }
}

function classifyNoAnswer(reply: Reply & { kind: 'no-answer' }): Outcome {
  // Neither these nor a certificate that does not verify will be better for the next record.
  if (reply.failure === 'no-credentials') return { kind: 'blocked', gate: 'credentials', code: reply.failure }
  if (reply.failure === 'tls') return { kind: 'blocked', gate: 'upstream-down', code: reply.failure }
  return { kind: 'unavailable', code: reply.failure }
}
