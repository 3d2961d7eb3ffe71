/**
 * The output of `lookup` if a call returned no result: the rows of `dlq show` (reason, code, message) and advice. Reasons are
 * those of dead letters, deferred events and the circuit breaker. Pure. No line holds personal data.
 */
import type { NoAnswer, Reply } from '../../core/calls/answer.ts'
import type { Outcome } from '../../core/calls/classify.ts'
import { printableCode } from '../../core/dead-letters/dead-letter.ts'

export type NoResult = Exclude<Outcome, { readonly kind: 'final' }>

interface Explanation {
  readonly message: string
  readonly advice: string
}

/** Lines for the terminal. */
export function noResultLines(outcome: NoResult, reply: Reply): string[] {
  const { message, advice } = explain(outcome, reply)
  const rows: [name: string, value: string | null][] = [
    ['reason', reasonOf(outcome)],
    ['code', outcome.code === '' ? 'none' : printableCode(outcome.code)],
    ['HTTP status', reply.status === null ? null : String(reply.status)],
    [
      'request id',
      reply.kind === 'answer' && reply.requestId !== null ? printableCode(reply.requestId) : null,
    ],
    ['message', message],
    ['what to do', advice],
  ]
  const shown = rows.filter((row): row is [string, string] => row[1] !== null)
  const width = Math.max(...shown.map(([name]) => name.length)) + 2
  return ['No result.', ...shown.map(([name, value]) => `${name.padEnd(width)}${value}`)]
}

function reasonOf(outcome: NoResult): string {
  switch (outcome.kind) {
    case 'deferred':
    case 'rejected':
      return outcome.reason
    case 'throttled':
    case 'unavailable':
      return outcome.kind
    case 'blocked':
      return outcome.reason
  }
}

function explain(outcome: NoResult, reply: Reply): Explanation {
  const own = reply.kind === 'no-answer' ? BY_FAILURE[reply.failure] : find(BY_CODE, outcome.code)
  return own ?? find(BY_REASON, reasonOf(outcome)) ?? OTHERWISE
}

/** Looks up own members only, because the vendor may send any code, even `constructor`. */
function find(table: Readonly<Record<string, Explanation>>, name: string): Explanation | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

/** Codes with a more specific explanation than their reason. */
const BY_CODE: Readonly<Record<string, Explanation>> = {
  TransactionIdInvalid: {
    message: 'The API does not know this transaction.',
    advice:
      'Check both ids and that CHECKRESULT_ENDPOINT is in the region where the verification was started. The vendor deletes results after 30 days.',
  },
  'Forbidden.AccountAccessDenied': {
    message: 'The API rejects the account, most likely because of overdue payments.',
    advice: 'Check the balance of the Alibaba Cloud account.',
  },
}

/** Failures without an answer that have a more specific explanation than their reason. */
const BY_FAILURE: Readonly<Partial<Record<NoAnswer, Explanation>>> = {
  'no-credentials': {
    message: 'The call was not made, because no credentials could be obtained.',
    advice: 'Run `config check` to see where credentials come from, and check that source.',
  },
  timeout: {
    message: 'The API did not answer within CHECKRESULT_TIMEOUT.',
    advice:
      'Try again. If it happens again, check the network, the proxy or firewall, and CHECKRESULT_ENDPOINT.',
  },
  dns: {
    message: 'The host name of CHECKRESULT_ENDPOINT cannot be resolved.',
    advice: 'Check CHECKRESULT_ENDPOINT and the DNS servers of this machine.',
  },
  tls: {
    message:
      'The TLS connection to CHECKRESULT_ENDPOINT failed, for example because its certificate cannot be verified.',
    advice:
      'Check for a proxy that intercepts TLS, and set NODE_EXTRA_CA_CERTS to its certificate authority.',
  },
  'connection-refused': {
    message: 'Nothing listens at CHECKRESULT_ENDPOINT.',
    advice: 'Check CHECKRESULT_ENDPOINT, and whether a firewall rejects the connection.',
  },
}

const BY_REASON: Readonly<Record<string, Explanation>> = {
  'not-completed': {
    message: 'The customer has not completed the verification yet.',
    advice: 'Try again later. The service retries such an event on the retry topics until DEFER_MAX_AGE.',
  },
  pending: {
    message: 'The verification is complete, but the vendor has not decided yet.',
    advice: 'Try again later. The service retries such an event on the retry topics until DEFER_MAX_AGE.',
  },
  throttled: {
    message: "The account's limit of calls per second is used up.",
    advice:
      'Try again in a few seconds. If it happens again, check who else uses the account, and CHECKRESULT_QPS.',
  },
  unavailable: {
    message: 'The API did not answer, or its answer cannot be read.',
    advice:
      "Try again. If it happens again, check the network, CHECKRESULT_ENDPOINT and the vendor's status page.",
  },
  rejected: {
    message: 'The API rejects this transaction. Trying again does not help.',
    advice: 'Check both ids, and look the code up in the documentation of CheckResult.',
  },
  'unreadable-answer': {
    message: 'The API answered, but without a verdict that this version can read.',
    advice: 'Report the request id to the vendor, or check for a newer version of checkresult-stream.',
  },
  credentials: {
    message: 'The API rejects the credentials, or they lack a permission.',
    advice:
      'Check the access key and its secret (`config check` prints where they come from), and its RAM policy, for example AliyunAntCloudAuthFullAccess.',
  },
  account: {
    message: 'The API rejects the account, or CHECKRESULT_ENDPOINT does not serve CheckResult.',
    advice: 'Check for overdue payments, that ID Verification is activated, and CHECKRESULT_ENDPOINT.',
  },
  clock: {
    message: 'The API rejects the time of the call, because the clock of this machine is wrong.',
    advice: 'Check the time synchronization (NTP) of this machine: 15 minutes are too much.',
  },
  refused: {
    message: 'The API rejects the call with a code that this version does not know.',
    advice: "Look the code up in the vendor's documentation, and check the account and its permissions.",
  },
  'upstream-down': {
    message: 'The API cannot be reached.',
    advice: "Check the network, CHECKRESULT_ENDPOINT and the vendor's status page.",
  },
}

const OTHERWISE: Explanation = {
  message: 'The call brought no result.',
  advice: 'Look the code up in the documentation of CheckResult.',
}
