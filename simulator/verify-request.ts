/**
 * Checks a request like the vendor's gateway: action, key, date, signature, nonce and parameters, in this order.
 */
import type { IncomingHttpHeaders } from 'node:http'
import {
  ACTION,
  ALGORITHM,
  canonicalQuery,
  EMPTY_BODY_HASH,
  sign,
  VERSION,
  type Credentials,
} from '../src/adapters/alibaba/sign-v3.ts'

export interface Refusal {
  readonly status: number
  readonly code: string
}

export type Verified =
  | { readonly kind: 'ok'; readonly transactionId: string; readonly merchantBizId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export interface SignedCall {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

const CLOCK_SKEW_MS = 15 * 60_000
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/
const AUTHORIZATION = new RegExp(
  `^${ALGORITHM} Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$`,
)
const ID = /^[0-9A-Za-z]{1,64}$/
const MERCHANT_ID = /^[0-9A-Za-z]{1,32}$/
/** Maximum number of remembered nonces per generation. Two generations are kept. */
const NONCES = 200_000

export class RequestVerifier {
  readonly #credentials: Credentials
  #nonces = new Set<string>()
  #olderNonces = new Set<string>()

  constructor(credentials: Credentials) {
    this.#credentials = credentials
  }

  verify(call: SignedCall, epochMs: number): Verified {
    const { headers } = call
    const at = call.url.indexOf('?')
    const query = at === -1 ? '' : call.url.slice(at + 1)
    const refusal =
      refuseAction(call) ??
      this.#refuseKey(headers) ??
      refuseDate(headers, epochMs) ??
      this.#refuseSignature(call, query) ??
      this.#refuseNonce(headers)
    if (refusal !== null) return { kind: 'refused', refusal }
    return parametersOf(query)
  }

  #refuseKey(headers: IncomingHttpHeaders): Refusal | null {
    const [, accessKeyId] = AUTHORIZATION.exec(headers.authorization ?? '') ?? []
    if (accessKeyId === undefined) return { status: 400, code: 'IncompleteSignature' }
    if (accessKeyId !== this.#credentials.accessKeyId)
      return { status: 404, code: 'InvalidAccessKeyId.NotFound' }
    const { securityToken } = this.#credentials
    const sent = headers['x-acs-security-token']
    if (sent === securityToken) return null
    return {
      status: 400,
      code: sent === undefined ? 'MissingSecurityToken' : 'InvalidSecurityToken.Malformed',
    }
  }

  #refuseSignature({ method, headers }: SignedCall, query: string): Refusal | null {
    const [, , signedHeaders = '', signature] = AUTHORIZATION.exec(headers.authorization ?? '') ?? []
    const names = signedHeaders.split(';')
    const unsigned = Object.keys(headers).some((name) => mustBeSigned(name) && !names.includes(name))
    const expected = sign({
      method,
      path: '/',
      query: canonicalQuery(Object.fromEntries(new URLSearchParams(query.replaceAll('+', '%2B')))),
      headers: Object.fromEntries(names.map((name) => [name, headers[name] ?? ''])),
      bodyHash: EMPTY_BODY_HASH,
      secret: this.#credentials.accessKeySecret,
    })
    return unsigned || expected.signature !== signature
      ? { status: 400, code: 'SignatureDoesNotMatch' }
      : null
  }

  #refuseNonce(headers: IncomingHttpHeaders): Refusal | null {
    const nonce = headers['x-acs-signature-nonce']
    if (typeof nonce !== 'string' || nonce === '') return { status: 400, code: 'MissingSignatureNonce' }
    if (this.#nonces.has(nonce) || this.#olderNonces.has(nonce))
      return { status: 400, code: 'SignatureNonceUsed' }
    if (this.#nonces.size >= NONCES) {
      this.#olderNonces = this.#nonces
      this.#nonces = new Set()
    }
    this.#nonces.add(nonce)
    return null
  }
}

function mustBeSigned(header: string): boolean {
  return header === 'host' || header === 'content-type' || header.startsWith('x-acs-')
}

function refuseAction({ method, url, headers }: SignedCall): Refusal | null {
  if (method !== 'POST') return { status: 405, code: 'UnsupportedHTTPMethod' }
  if (url !== '/' && !url.startsWith('/?')) return { status: 404, code: 'InvalidApi.NotFound' }
  if (headers['x-acs-version'] !== VERSION) return { status: 404, code: 'InvalidVersion' }
  return headers['x-acs-action'] === ACTION ? null : { status: 404, code: 'InvalidApi.NotFound' }
}

function refuseDate(headers: IncomingHttpHeaders, epochMs: number): Refusal | null {
  const date = headers['x-acs-date']
  // The 99th of a month matches the pattern but is not a date.
  const dateMs = typeof date === 'string' && DATE.test(date) ? Date.parse(date) : Number.NaN
  if (Number.isNaN(dateMs)) return { status: 400, code: 'InvalidTimeStamp.Format' }
  return Math.abs(dateMs - epochMs) > CLOCK_SKEW_MS ? { status: 400, code: 'InvalidTimeStamp.Expired' } : null
}

function parametersOf(query: string): Verified {
  const parameters = new URLSearchParams(query)
  const transactionId = parameters.get('TransactionId') ?? ''
  const merchantBizId = parameters.get('MerchantBizId') ?? ''
  if (transactionId === '' || merchantBizId === '') return refused(400, 'MissingParameter')
  if (!MERCHANT_ID.test(merchantBizId)) return refused(400, 'InvalidParameter')
  if (!ID.test(transactionId)) return refused(400, 'TransactionIdInvalid')
  return { kind: 'ok', transactionId, merchantBizId }
}

function refused(status: number, code: string): Verified {
  return { kind: 'refused', refusal: { status, code } }
}
