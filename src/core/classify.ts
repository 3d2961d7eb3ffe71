/**
 * What a reply means: the one table of the vendor's codes. Pure and total: every code has an outcome, also an unknown one.
 *
 * The body's `Code` decides first, the status second: 404 means "later" only for `ProcessNotCompleted`, and `Throttling.Api`
 * comes with 403 on one page of the vendor's and with 400 on another. A refusal is `blocked` or `throttled` whether the
 * account or only this record gets it: `refusals.ts` tells which, because one answer alone cannot.
 */
import type { CheckAnswer, FinalAnswer, Reply } from './answer.ts'
import type { DeadLetterReason } from './dead-letter.ts'
import type { DeferReason } from './defer.ts'
import type { CircuitReason } from './circuit-breaker.ts'

export type Outcome =
  | { readonly kind: 'final'; readonly answer: FinalAnswer }
  | { readonly kind: 'deferred'; readonly reason: DeferReason; readonly code: string }
  /** Too many calls. The record asks again and uses up no attempt. */
  | { readonly kind: 'throttled'; readonly code: string; readonly retryAfterMs: number | null }
  /** Quick retries first, then deferred. */
  | { readonly kind: 'unavailable'; readonly code: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'rejected'; readonly reason: DeadLetterReason; readonly code: string }
  /** Refused for a reason that most likely holds for the account: calls pause and the record asks again. */
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

/** A row matches a whole code, or, ending in `*`, every code that begins so. The first match counts. */
const CODES: readonly (readonly [pattern: string, verdict: Classification])[] = [
  // The customer is not done: the callback was early, or the flow was left.
  ['ProcessNotCompleted', { kind: 'deferred', reason: 'not-completed' }],
  // Ours, our neighbors' in the account, or the gateway's own cap.
  ['Throttling*', { kind: 'throttled' }],
  ['InternalError*', { kind: 'unavailable' }],
  ['ServiceUnavailable*', { kind: 'unavailable' }],
  // A nonce met twice is an accident of one attempt: the next one draws a new nonce.
  ['SignatureNonceUsed', { kind: 'unavailable' }],
  ['TransactionIdInvalid', REJECTED],
  ['InvalidParameter*', REJECTED],
  // The event carried an empty id. Other parameters are the client's own, so their absence is no fault of the record.
  ['MissingParameter*', REJECTED],
  ['MissingTransactionId', REJECTED],
  ['MissingMerchantBizId', REJECTED],
  // Overdue payments: everything is refused until the account is topped up.
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
  // Our clock is more than 15 minutes off.
  ['InvalidTimeStamp*', CLOCK],
  ['InvalidTimestamp*', CLOCK],
  ['IllegalTimestamp*', CLOCK],
  // The endpoint is not this product's: a wrong setting, the same for every record.
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
  // A code that is final or names a cause keeps its meaning, whatever status or hint came with it.
  if (status === TOO_MANY_REQUESTS && classification.kind === 'unavailable') {
    return { kind: 'throttled', code, retryAfterMs }
  }
  return classification.kind === 'throttled' || classification.kind === 'unavailable'
    ? { kind: classification.kind, code, retryAfterMs }
    : { ...classification, code }
}

/** The code of an outcome that says why there is no result. */
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

/** A code that nobody documented, or none. Whether the account or the record gets it is for others to tell. */
function classifyUnknown(code: string, status: number, retryAfterMs: number | null): Outcome {
  const named = code === '' ? `HTTP ${status}` : code
  if (status === TOO_MANY_REQUESTS) return { kind: 'throttled', code: named, retryAfterMs }
  if (status >= 500 || status === REQUEST_TIMEOUT) return { kind: 'unavailable', code: named, retryAfterMs }
  // The vendor's own client takes any refusal with a hint for throttling.
  if (status >= 400 && retryAfterMs !== null) return { kind: 'throttled', code: named, retryAfterMs }
  return { kind: 'blocked', reason: 'refused', code: named }
}

function classifyNoAnswer({ failure, status, retryAfterMs }: Reply & { kind: 'no-answer' }): Outcome {
  // Neither these nor a certificate that does not verify will be better for the next record.
  if (failure === 'no-credentials') return { kind: 'blocked', reason: 'credentials', code: failure }
  if (failure === 'tls') return { kind: 'blocked', reason: 'upstream-down', code: failure }
  // A page of a proxy, a firewall or another server: its status is all that can be read.
  const isPage = failure === 'not-json' && status !== null && status >= 400 && status < 500
  if (isPage || status === TOO_MANY_REQUESTS) return classifyUnknown('', status, retryAfterMs)
  return { kind: 'unavailable', code: failure, retryAfterMs }
}
