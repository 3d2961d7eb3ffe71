/**
 * Decides what follows from a reply, with one table of the vendor's codes. Pure and total: every code has an outcome,
 * including unknown ones.
 *
 * The body's `Code` takes precedence over the status: 404 means "later" only for `ProcessNotCompleted`, and
 * `Throttling.Api` comes with 403 or 400, depending on the vendor's page. Whether a `blocked` or `throttled` answer
 * concerns the account or only this record is decided in `refusals.ts`, because a single answer cannot show it.
 */
import type { CheckAnswer, FinalAnswer, Reply } from './answer.ts'
import type { DeadLetterReason } from '../dead-letters/dead-letter.ts'
import type { DeferReason } from '../records/defer.ts'
import type { CircuitReason } from './circuit-breaker.ts'

export type Outcome =
  | { readonly kind: 'final'; readonly answer: FinalAnswer }
  | { readonly kind: 'deferred'; readonly reason: DeferReason; readonly code: string }
  /** Too many calls. The record retries, and the call does not count as an attempt. */
  | { readonly kind: 'throttled'; readonly code: string; readonly retryAfterMs: number | null }
  /** The record retries quickly a few times and is then deferred. */
  | { readonly kind: 'unavailable'; readonly code: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'rejected'; readonly reason: DeadLetterReason; readonly code: string }
  /** Rejected for a reason that most likely concerns the account: calls pause and the record retries. */
  | { readonly kind: 'blocked'; readonly reason: CircuitReason; readonly code: string }

type Classification =
  | { kind: 'deferred'; reason: DeferReason }
  | { kind: 'throttled' }
  | { kind: 'unavailable' }
  | { kind: 'rejected'; reason: DeadLetterReason }
  | { kind: 'blocked'; reason: CircuitReason }

const REJECTED: Classification = { kind: 'rejected', reason: 'rejected' }
const CREDENTIALS: Classification = { kind: 'blocked', reason: 'credentials' }
const ACCOUNT: Classification = { kind: 'blocked', reason: 'account' }
const CLOCK: Classification = { kind: 'blocked', reason: 'clock' }

/** A row matches a whole code or, if it ends in `*`, every code with that prefix. The first match wins. */
const CODES: readonly (readonly [pattern: string, verdict: Classification])[] = [
  // The customer has not finished: the callback came early, or the customer left the flow.
  ['ProcessNotCompleted', { kind: 'deferred', reason: 'not-completed' }],
  // Our own limit, other users of the account, or the limit of the API gateway.
  ['Throttling*', { kind: 'throttled' }],
  ['InternalError*', { kind: 'unavailable' }],
  ['ServiceUnavailable*', { kind: 'unavailable' }],
  // A nonce collision affects a single attempt. The next attempt uses a new nonce.
  ['SignatureNonceUsed', { kind: 'unavailable' }],
  ['TransactionIdInvalid', REJECTED],
  ['InvalidParameter*', REJECTED],
  // The event has an empty id. The client itself adds all other parameters, so none of them can be missing.
  ['MissingParameter*', REJECTED],
  ['MissingTransactionId', REJECTED],
  ['MissingMerchantBizId', REJECTED],
  // Overdue payments: all calls are rejected until the account is topped up.
  ['Forbidden.AccountAccessDenied', ACCOUNT],
  ['Forbidden.InDebt*', ACCOUNT],
  ['Forbidden.Arrears*', ACCOUNT],
  ['InsufficientBalance*', ACCOUNT],
  ['NotEnoughBalance*', ACCOUNT],
  ['OverduePayment*', ACCOUNT],
  ['Arrears*', ACCOUNT],
  // The product is not activated for the account.
  ['ServiceNotOpen*', ACCOUNT],
  ['ProductNotOpen*', ACCOUNT],
  ['Forbidden*', CREDENTIALS],
  ['NoPermission*', CREDENTIALS],
  ['ActionUnauthorized*', CREDENTIALS],
  ['Unauthorized*', CREDENTIALS],
  ['AccessDenied*', CREDENTIALS],
  ['MissingAccessKeyId*', CREDENTIALS],
  ['MissingSecurityToken*', CREDENTIALS],
  ['InvalidAccessKeyId*', CREDENTIALS],
  ['InvalidSecurityToken*', CREDENTIALS],
  ['SignatureDoesNotMatch', CREDENTIALS],
  ['IncompleteSignature', CREDENTIALS],
  // Our clock is off by more than 15 minutes.
  ['InvalidTimeStamp*', CLOCK],
  ['InvalidTimestamp*', CLOCK],
  ['IllegalTimestamp*', CLOCK],
  // The endpoint belongs to another product: a wrong setting that affects every record.
  ['InvalidApi.NotFound', ACCOUNT],
  ['InvalidProduct.NotFound', ACCOUNT],
  ['InvalidProtocol*', ACCOUNT],
  ['InvalidVersion*', ACCOUNT],
  ['InvalidAction*', ACCOUNT],
  ['UnsupportedHTTPMethod', ACCOUNT],
]

const SUCCESS = new Set(['Success', '200'])
const REQUEST_TIMEOUT = 408
const TOO_MANY_REQUESTS = 429

const exact = new Map(CODES.filter(([pattern]) => !pattern.endsWith('*')))
const prefixes = CODES.filter(([pattern]) => pattern.endsWith('*')).map(
  ([pattern, classification]) => [pattern.slice(0, -1), classification] as const,
)

export function classify(reply: Reply): Outcome {
  if (reply.kind === 'no-answer') return classifyNoAnswer(reply)
  const { code, answer, retryAfterMs, status } = reply
  if (SUCCESS.has(code)) return classifySuccess(code, answer)
  const classification = exact.get(code) ?? prefixes.find(([prefix]) => code.startsWith(prefix))?.[1]
  if (classification === undefined) return classifyUnknown(code, status, retryAfterMs)
  // A code that is final or names a cause keeps its meaning, whatever status or hint comes with it.
  if (status === TOO_MANY_REQUESTS && classification.kind === 'unavailable') {
    return { kind: 'throttled', code, retryAfterMs }
  }
  return classification.kind === 'throttled' || classification.kind === 'unavailable'
    ? { kind: classification.kind, code, retryAfterMs }
    : { ...classification, code }
}

/** The vendor's code of an outcome without a result; empty for a final answer. */
export function codeOf(outcome: Outcome): string {
  return outcome.kind === 'final' ? '' : outcome.code
}

function classifySuccess(code: string, answer: CheckAnswer | null): Outcome {
  if (answer === null || answer.passed === null) {
    return { kind: 'rejected', reason: 'unreadable-answer', code }
  }
  // `P` (KYC_GLOBAL) becomes Y or N later.
  return isFinal(answer) ? { kind: 'final', answer } : { kind: 'deferred', reason: 'pending', code }
}

function isFinal(answer: CheckAnswer): answer is FinalAnswer {
  return answer.passed === 'Y' || answer.passed === 'N'
}

/** An undocumented code or none at all. `refusals.ts` decides whether it concerns the account or the record. */
function classifyUnknown(code: string, status: number, retryAfterMs: number | null): Outcome {
  const named = code === '' ? `HTTP ${status}` : code
  if (status === TOO_MANY_REQUESTS) return { kind: 'throttled', code: named, retryAfterMs }
  if (status >= 500 || status === REQUEST_TIMEOUT) return { kind: 'unavailable', code: named, retryAfterMs }
  // The vendor's own client treats any rejection with a retry hint as throttling.
  if (status >= 400 && retryAfterMs !== null) return { kind: 'throttled', code: named, retryAfterMs }
  return { kind: 'blocked', reason: 'refused', code: named }
}

function classifyNoAnswer({ failure, status, retryAfterMs }: Reply & { kind: 'no-answer' }): Outcome {
  // Neither missing credentials nor an invalid certificate will go away with the next record.
  if (failure === 'no-credentials') return { kind: 'blocked', reason: 'credentials', code: failure }
  if (failure === 'tls') return { kind: 'blocked', reason: 'upstream-down', code: failure }
  // A page from a proxy, a firewall or another server. Only its status is usable.
  const isPage = failure === 'not-json' && status !== null && status >= 400 && status < 500
  if (isPage || status === TOO_MANY_REQUESTS) return classifyUnknown('', status, retryAfterMs)
  return { kind: 'unavailable', code: failure, retryAfterMs }
}
