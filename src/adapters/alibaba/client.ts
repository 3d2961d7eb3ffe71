/**
 * The CheckResult call: signed afresh each time, over keep-alive connections, within one deadline. Never rejects: what
 * goes wrong on the way is a value. No retries here: each attempt is the pipeline's to make, with its own permit.
 *
 * undici's error messages hold addresses and its URLs the transaction: nothing of an error leaves this file but its kind.
 */
import { randomUUID } from 'node:crypto'
import type { NoAnswer, Reply } from '../../core/answer.ts'
import type { ApiClock } from '../../core/api-clock.ts'
import type { CheckResult, CallTicket } from '../../ports.ts'
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
  /** Told when the API refuses what it gave. Closed by whoever made it. */
  readonly credentials: CredentialProvider
  /** The most a call may be given. */
  readonly timeoutMs: number
  /** Told the time that each answer carries. */
  readonly apiClock?: Pick<ApiClock, 'saw'>
}

export interface CheckResultClient {
  /** Without `ticket` nothing keeps the call from starting. */
  readonly check: CheckResult & ((...call: UnlimitedCall) => Promise<Reply>)
  /** Opens as many connections ahead as so many calls per second need. */
  readonly warm: (perSecond: number) => void
  close(): Promise<void>
}

type UnlimitedCall = readonly [event: Parameters<CheckResult>[0], withinMs: number]

const ALWAYS: CallTicket = { confirm: () => true }
const CONNECT_TIMEOUT_MS = 3_000
/** For how long of calls connections are opened ahead: longer than most take. */
const WARM_S = 0.3
/** More are opened when they are needed. */
const MAX_WARM = 64
const MAX_CONNECTION_AGE_MS = 300_000
/** Without images an answer has a few kilobytes. */
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
    ticket: CallTicket = ALWAYS,
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
    // Not awaited: hundreds are under way at any time, and a suspended function of each is half a kilobyte.
    return connections.post({ path, headers, withinMs, ticket }).then((response) => {
      const { date, age } = response.headers
      // An answer out of a cache is of another time.
      if (typeof date === 'string' && age === undefined) apiClock?.saw(date, askedMs, Date.now())
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

/** Codes that other keys may cure. A right that is missing (`Forbidden`) is none of them. */
const KEYS_REFUSED = /^(?:InvalidAccessKeyId|InvalidSecurityToken|MissingSecurityToken|SignatureDoesNotMatch)/

function refusesKeys(reply: Reply): boolean {
  return reply.kind === 'answer' && reply.status >= 400 && KEYS_REFUSED.test(reply.code)
}

/** Some of the vendor's gateways refuse a call in XML, whatever the caller accepts. */
const XML_CODE = /^\s*<(?:\?xml[^<]{0,200}<)?Error>[^]{0,2000}?<Code>([\w.-]{1,200})<\/Code>/

function toReply({ status, headers, text }: HttpResponse): Reply {
  // Only a refusal says when to come again.
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
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'too-large',
  UND_ERR_HEADERS_OVERFLOW: 'too-large',
}

/** Null when the call was not to start any more. */
function withoutReply(error: unknown): Reply | null {
  return error instanceof HttpRequestError && error.cause === NOT_STARTED ? null : toFailure(error)
}

/** A defect is none of the network's failures: it goes on to whoever ends the process. */
function toFailure(error: unknown): Reply {
  if (!(error instanceof HttpRequestError)) throw error
  return noAnswer(failureOf(error.cause), error.status)
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

/** `yyyy-MM-ddTHH:mm:ssZ`; made once a second, for formatting a date costs more than signing with it. */
function isoSeconds(nowMs: number): string {
  const second = Math.floor(nowMs / 1000)
  if (second !== lastSecond) {
    lastSecond = second
    lastIso = new Date(second * 1000).toISOString().replace('.000Z', 'Z')
  }
  return lastIso
}
