/**
 * The ACS3-HMAC-SHA256 signature (Alibaba Cloud, "V3 request structure and signature"). Pure. `sign` is general
 * enough for the vendor's test vectors and for the simulator, which verifies what it receives. `signCheckResult` is
 * the fast path for the one call that this service makes thousands of times a second.
 */
import { hash } from 'node:crypto'
import { hmacSha256 } from './hmac.ts'

export const ALGORITHM = 'ACS3-HMAC-SHA256'
/** SHA-256 of an empty body. CheckResult has all its parameters in the query. */
export const EMPTY_BODY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

export interface SignedRequest {
  readonly method: string
  readonly path: string
  /** In canonical form, see {@link canonicalQuery}. */
  readonly query: string
  /** The headers to sign: lower-case names, an array for several values of one header. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Hex SHA-256 of the body. */
  readonly bodyHash: string
  readonly secret: string
}

export interface Credentials {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  /** Set for temporary credentials (STS). */
  readonly securityToken?: string | undefined
}

const UNRESERVED = /^[\w.~-]*$/

/**
 * RFC 3986, including the characters that `encodeURIComponent` leaves alone and the vendor encodes. Total: half a
 * surrogate pair, which JSON allows and UTF-8 does not, is replaced, so that the vendor rejects such an id instead
 * of this function throwing.
 */
export function percentEncode(text: string): string {
  if (UNRESERVED.test(text)) return text
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

export function canonicalQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.keys(parameters)
    .sort()
    .map((name) => `${percentEncode(name)}=${percentEncode(parameters[name] ?? '')}`)
    .join('&')
}

export function canonicalRequest(request: Omit<SignedRequest, 'secret'>): {
  text: string
  signedHeaders: string
} {
  const names = Object.keys(request.headers).sort()
  const signedHeaders = names.join(';')
  const headers = names.map((name) => `${name}:${headerValue(request.headers[name])}\n`).join('')
  const text = `${request.method}\n${request.path}\n${request.query}\n${headers}\n${signedHeaders}\n${request.bodyHash}`
  return { text, signedHeaders }
}

export function sign(request: SignedRequest): { signedHeaders: string; signature: string } {
  const { text, signedHeaders } = canonicalRequest(request)
  return { signedHeaders, signature: signCanonical(text, request.secret) }
}

export interface CheckResultRequest {
  readonly host: string
  readonly credentials: Credentials
  readonly transactionId: string
  readonly merchantBizId: string
  /** `yyyy-MM-ddTHH:mm:ssZ` in UTC. Valid for 15 minutes. */
  readonly date: string
  /** Unique per attempt, so a retry needs a new one. */
  readonly nonce: string
}

/**
 * Returns the path with its query, and all headers to send. The canonical form is spelled out instead of sorted,
 * because its order never changes.
 */
export function signCheckResult(request: CheckResultRequest): {
  path: string
  headers: Record<string, string>
} {
  const { host, credentials, date, nonce } = request
  const { securityToken } = credentials
  const query = `IsReturnImage=N&MerchantBizId=${percentEncode(request.merchantBizId)}&TransactionId=${percentEncode(request.transactionId)}`
  const tokenLine = securityToken === undefined ? '' : `x-acs-security-token:${securityToken}\n`
  const signedHeaders =
    securityToken === undefined
      ? SIGNED_HEADERS
      : `${SIGNED_BEFORE_TOKEN};x-acs-security-token;x-acs-signature-nonce;x-acs-version`
  const canonical =
    `POST\n/\n${query}\nhost:${host}\nx-acs-action:${ACTION}\nx-acs-content-sha256:${EMPTY_BODY_HASH}\n` +
    `x-acs-date:${date}\n${tokenLine}x-acs-signature-nonce:${nonce}\nx-acs-version:${VERSION}\n\n${signedHeaders}\n${EMPTY_BODY_HASH}`
  const signature = signCanonical(canonical, credentials.accessKeySecret)
  const headers: Record<string, string> = {
    host,
    accept: 'application/json',
    'x-acs-action': ACTION,
    'x-acs-version': VERSION,
    'x-acs-date': date,
    'x-acs-signature-nonce': nonce,
    'x-acs-content-sha256': EMPTY_BODY_HASH,
    authorization: `${ALGORITHM} Credential=${credentials.accessKeyId},SignedHeaders=${signedHeaders},Signature=${signature}`,
  }
  if (securityToken !== undefined) headers['x-acs-security-token'] = securityToken
  return { path: `/?${query}`, headers }
}

export const ACTION = 'CheckResult'
export const VERSION = '2022-08-09'
const SIGNED_BEFORE_TOKEN = 'host;x-acs-action;x-acs-content-sha256;x-acs-date'
const SIGNED_HEADERS = `${SIGNED_BEFORE_TOKEN};x-acs-signature-nonce;x-acs-version`

function signCanonical(text: string, secret: string): string {
  return hmacSha256(secret, `${ALGORITHM}\n${hash('sha256', text, 'hex')}`)
}

function headerValue(value: string | readonly string[] | undefined): string {
  if (typeof value === 'string') return value.trim()
  return [...(value ?? [])]
    .map((one) => one.trim())
    .sort()
    .join(',')
}
