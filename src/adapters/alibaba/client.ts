/**
 * The CheckResult call: signed for each attempt, over keep-alive connections, within one deadline. It never
 * rejects: failures are values. It never retries: the pipeline decides about each attempt and gets a permit for it.
 *
 * undici's error messages contain addresses, and its URLs the transaction. Therefore only the kind of an error
 * leaves this file.
 */
import { randomUUID } from 'node:crypto'
import type { NoAnswer, Reply } from '../../core/calls/answer.ts'
import type { ApiClock } from '../../core/calls/api-clock.ts'
import type { CallTicket } from '../../core/calls/call-ticket.ts'
import type { CheckResult } from '../../ports.ts'
import { parseAnswer } from './answer.ts'
import {
  Connections,
  DEADLINE_PASSED,
  HttpRequestError,
  NOT_STARTED,
  type HttpResponse,
} from './connections.ts'
import type { CredentialProvider } from './credential-provider.ts'
import { retryAfterMs } from './retry-hint.ts'
import { signCheckResult } from './sign-v3.ts'

export interface ClientOptions {
  /** Origin of the endpoint, e.g. `https://cloudauth-intl.cn-hongkong.aliyuncs.com`. */
  readonly endpoint: string
  /** Notified if the API rejects its credentials. The creator closes it. */
  readonly credentials: CredentialProvider
  /** Maximum timeout of a call. */
  readonly timeoutMs: number
  /** Receives the server time of each answer. */
  readonly apiClock?: Pick<ApiClock, 'record'>
}

export interface CheckResultClient {
  /** Without a call ticket nothing prevents the call from starting. */
  readonly check: CheckResult & ((...call: UnlimitedCall) => Promise<Reply>)
  /** Opens connections in advance for this many calls per second. */
  readonly warm: (perSecond: number) => void
  close(): Promise<void>
}

type UnlimitedCall = readonly [event: Parameters<CheckResult>[0], withinMs: number]

const CONNECT_TIMEOUT_MS = 3_000
/** Connections are opened for the calls of this many seconds: longer than most calls take. */
const WARM_S = 0.3
/** Beyond this, connections are opened on demand. */
const MAX_WARM = 64
const MAX_CONNECTION_AGE_MS = 300_000
/** An answer without images has a few kilobytes. */
const MAX_RESPONSE_BYTES = 1024 * 1024

export function createCheckResultClient(options: ClientOptions): CheckResultClient {
  const { apiClock } = options
  const { host, origin } = new URL(options.endpoint)
  const connections = new Connections({
    origin,
    connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, options.timeoutMs),
    maxAgeMs: MAX_CONNECTION_AGE_MS,
    maxResponseBytes: MAX_RESPONSE_BYTES,
  })

  function check(...call: UnlimitedCall): Promise<Reply>
  function check(...call: Parameters<CheckResult>): Promise<Reply | null>
  async function check(
    { transactionId, merchantBizId }: UnlimitedCall[0],
    withinMs: number,
    ticket: CallTicket | null = null,
  ): Promise<Reply | null> {
    const pending = options.credentials.current()
    const credentials = pending instanceof Promise ? await pending : pending
    if (credentials === null) return noAnswer('no-credentials')
    const askedMs = Date.now()
    const { path, headers } = signCheckResult({
      host,
      credentials,
      transactionId,
      merchantBizId,
      date: isoSeconds(askedMs),
      nonce: randomUUID(),
    })
    // Not awaited, because hundreds are in flight and each suspended function costs half a kilobyte.
    return connections.post({ path, headers, withinMs, ticket }).then((response) => {
      const { date, age } = response.headers
      // The date of a cached answer is not the current time.
      if (typeof date === 'string' && age === undefined) apiClock?.record(date, askedMs, Date.now())
      const reply = toReply(response)
      if (refusesKeys(reply)) options.credentials.refused(credentials)
      return reply
    }, withoutReply)
  }

  return {
    check,
    warm: (perSecond) => {
      connections.warm(perSecond > 0 ? Math.min(MAX_WARM, Math.ceil(perSecond * WARM_S) + 1) : 0)
    },
    close: () => connections.close(),
  }
}

/** Codes that other keys may resolve. A missing permission (`Forbidden`) is not one of them. */
const KEYS_REFUSED = /^(?:InvalidAccessKeyId|InvalidSecurityToken|MissingSecurityToken|SignatureDoesNotMatch)/

function refusesKeys(reply: Reply): boolean {
  return reply.kind === 'answer' && reply.status >= 400 && KEYS_REFUSED.test(reply.code)
}

/** Some of the vendor's gateways reject a call in XML, whatever the caller accepts. */
const XML_CODE = /^\s*<(?:\?xml[^<]{0,200}<)?Error>[^]{0,2000}?<Code>([\w.-]{1,200})<\/Code>/

function toReply({ status, headers, text }: HttpResponse): Reply {
  // Only a rejection carries a retry hint.
  const hintMs = status >= 400 ? retryAfterMs(headers) : null
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    const code = status >= 400 ? XML_CODE.exec(text)?.[1] : undefined
    return code === undefined
      ? { kind: 'no-answer', failure: 'not-json', status, retryAfterMs: hintMs }
      : { kind: 'answer', status, retryAfterMs: hintMs, code, requestId: null, answer: null }
  }
  return { kind: 'answer', status, retryAfterMs: hintMs, ...parseAnswer(body) }
}

function noAnswer(failure: NoAnswer, status: number | null = null): Reply {
  return { kind: 'no-answer', failure, status, retryAfterMs: null }
}

const FAILURES: Readonly<Record<string, NoAnswer>> = {
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  UND_ERR_SOCKET: 'reset',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNREFUSED: 'connection-refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'too-large',
  UND_ERR_HEADERS_OVERFLOW: 'too-large',
}

/** Null if the call must not start any more. Rethrows a programming error, which must end the process. */
function withoutReply(error: unknown): Reply | null {
  if (!(error instanceof HttpRequestError)) throw error
  return error.cause === NOT_STARTED ? null : noAnswer(failureOf(error.cause), error.status)
}

function failureOf(error: unknown): NoAnswer {
  if (error === DEADLINE_PASSED) return 'timeout'
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') return 'network'
  if (/CERT|SELF_SIGNED|LEAF_SIGNATURE|TLS|SSL|^EPROTO$/.test(code)) return 'tls'
  return FAILURES[code] ?? 'network'
}

let lastSecond = 0
let lastIso = ''

/** `yyyy-MM-ddTHH:mm:ssZ`. Cached for a second, because formatting a date costs more than signing with it. */
function isoSeconds(nowMs: number): string {
  const second = Math.floor(nowMs / 1000)
  if (second !== lastSecond) {
    lastSecond = second
    lastIso = new Date(second * 1000).toISOString().replace('.000Z', 'Z')
  }
  return lastIso
}
