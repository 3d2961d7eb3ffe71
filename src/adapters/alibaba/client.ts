/**
 * The CheckResult call: signed afresh each time, over keep-alive connections, within one deadline. Never rejects: what
 * goes wrong on the way is a value. No retries here: each attempt is the pipeline's to make, with its own permit.
 *
 * undici's error messages hold addresses and its URLs the transaction: nothing of an error leaves this file but its kind.
 */
import { randomBytes } from 'node:crypto'
import { Pool, type Dispatcher } from 'undici'
import type { NoAnswer, Reply } from '../../core/answer.ts'
import type { CheckResult } from '../../ports.ts'
import { parseAnswer } from './answer.ts'
import type { CredentialSource } from './credentials.ts'
import { signCheckResult } from './sign-v3.ts'

export interface ClientOptions {
  /** Origin of the endpoint, e.g. `https://cloudauth-intl.cn-hongkong.aliyuncs.com`. */
  readonly endpoint: string
  /** Null when there are none to be had. Does not reject. */
  readonly credentials: CredentialSource
  /** For the whole call, from the first byte sent to the last received. */
  readonly timeoutMs: number
  readonly connections: number
}

export interface CheckResultClient {
  readonly check: CheckResult
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 3_000
const KEEP_ALIVE_MS = 10_000
/** Connections are renewed so that a change of the endpoint's address is noticed. */
const CONNECTION_LIFE_MS = 300_000
/** Without images an answer has a few kilobytes. */
const MAX_RESPONSE_BYTES = 1024 * 1024

export function createCheckResultClient(options: ClientOptions): CheckResultClient {
  const { host, origin } = new URL(options.endpoint)
  const pool = new Pool(origin, {
    connections: options.connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: Math.min(CONNECT_TIMEOUT_MS, options.timeoutMs) },
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    clientTtl: CONNECTION_LIFE_MS,
    maxResponseSize: MAX_RESPONSE_BYTES,
  })

  const check: CheckResult = async ({ transactionId, merchantBizId }) => {
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(TIMED_OUT), options.timeoutMs)
    let status: number | null = null
    try {
      const pending = options.credentials()
      const credentials = pending instanceof Promise ? await pending : pending
      if (credentials === null) return { kind: 'no-answer', failure: 'no-credentials', status }
      const { path, headers } = signCheckResult({
        host,
        credentials,
        transactionId,
        merchantBizId,
        date: isoSeconds(Date.now()),
        nonce: randomBytes(16).toString('hex'),
      })
      const response = await pool.request({ method: 'POST', path, headers, signal: deadline.signal })
      status = response.statusCode
      return toReply(response, await response.body.text())
    } catch (error) {
      return { kind: 'no-answer', failure: failureOf(error), status }
    } finally {
      clearTimeout(timer)
    }
  }

  return { check, close: () => pool.destroy() }
}

function toReply(response: Dispatcher.ResponseData, text: string): Reply {
  const { statusCode: status } = response
  const body = parseJson(text)
  if (body === undefined) return { kind: 'no-answer', failure: 'not-json', status }
  return { kind: 'answer', status, retryAfterMs: retryAfterMs(response.headers), ...parseAnswer(body) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `x-acs-retry-after` is in milliseconds. */
function retryAfterMs(headers: Dispatcher.ResponseData['headers']): number | null {
  const value = headers['x-acs-retry-after']
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value)) return null
  return Number(value)
}

const TIMED_OUT = new Error('The call took longer than CHECKRESULT_TIMEOUT_MS.')

const FAILURES: Readonly<Record<string, NoAnswer>> = {
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_SOCKET: 'reset',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'too-large',
  UND_ERR_HEADERS_OVERFLOW: 'too-large',
}

function failureOf(error: unknown): NoAnswer {
  if (error === TIMED_OUT) return 'timeout'
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code !== 'string') return 'network'
  if (/CERT|SELF_SIGNED|TLS|SSL/.test(code)) return 'tls'
  return FAILURES[code] ?? (code.startsWith('HPE_') ? 'reset' : 'network')
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
