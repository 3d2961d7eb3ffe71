/**
 * Sends one request to the registry, with `node:http` because loading `fetch` costs memory. The result
 * distinguishes a registry from a proxy's page. Never rejects.
 */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { safeError } from '../../core/safe-error.ts'
import { httpRequest } from '../../node-http.ts'

export interface RegistrySettings {
  readonly url: string
  readonly auth: { readonly username: string; readonly password: string } | null
  readonly clientId: string
  /** Timeout of a request. Three seconds by default. */
  readonly timeoutMs?: number
}

export interface RegistryRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: unknown
}

export type RegistryAnswer =
  /** A 2xx answer in JSON, or an error of the registry itself, which has an `error_code`. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'refused'; readonly status: number }
  /** Something other than a registry answered: a page, a redirect, unrelated JSON. */
  | { readonly kind: 'not-a-registry'; readonly status: number }
  /** No usable answer: retry later. The status is null when nothing answered at all, and then the cause may be known. */
  | { readonly kind: 'failed'; readonly status: number | null; readonly cause?: string }

const TIMEOUT_MS = 3_000
/** A schema has a few kilobytes, and no registry response is larger than this. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'

export async function askRegistry(
  settings: RegistrySettings,
  request: RegistryRequest,
): Promise<RegistryAnswer> {
  try {
    const { status, text } = await send(settings, request)
    return understood(status, text)
  } catch (error) {
    return { kind: 'failed', status: null, cause: causeOf(error) }
  }
}

/** A code such as `ECONNREFUSED`, never a message. */
function causeOf(error: unknown): string {
  const { errorType, code } = safeError(error)
  if (errorType === 'AbortError' || errorType === 'TimeoutError') return 'timeout'
  return code ?? errorType
}

/**
 * Uses a new connection per request, because a kept one may have been closed meanwhile. Redirects are not followed,
 * because a login page behind one would answer 200.
 */
async function send(
  { url, auth, clientId, timeoutMs = TIMEOUT_MS }: RegistrySettings,
  { method, path, body }: RegistryRequest,
): Promise<{ readonly status: number; readonly text: string }> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  const payload = body === undefined ? null : Buffer.from(JSON.stringify(body))
  const sent = request(`${url}${path}`, {
    agent: false,
    method,
    headers: {
      accept: `${CONTENT_TYPE}, application/json`,
      'user-agent': clientId,
      ...(payload === null ? {} : { 'content-type': CONTENT_TYPE, 'content-length': payload.length }),
      ...authorization(auth),
    },
    signal: AbortSignal.timeout(timeoutMs),
  })
  // Without a listener an error after the response would end the process.
  sent.on('error', () => undefined)
  sent.end(payload ?? undefined)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part)
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES) throw new Error('The answer is too large.')
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }
}

function understood(status: number, text: string): RegistryAnswer {
  const body = parse(text)
  if (status === 401 || status === 403) return { kind: 'refused', status }
  const isRegistry = status < 300 ? body !== null : typeof memberOf(body, 'error_code') === 'number'
  if (isRegistry) return { kind: 'answer', status, body }
  return { kind: status >= 500 || status === 429 ? 'failed' : 'not-a-registry', status }
}

/** Parses an object or a list. Null for anything else. */
function parse(text: string): object | null {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' ? body : null
  } catch {
    return null
  }
}

export function memberOf(body: unknown, member: string): unknown {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, member)
    ? Reflect.get(body, member)
    : undefined
}

/** An id in the form that registries assign. Null for anything else. */
export function idIn(body: unknown): number | null {
  const id = memberOf(body, 'id')
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : null
}

/** The Authorization header. Empty if the registry needs no login. */
export function authorization(auth: RegistrySettings['auth']): Record<string, string> {
  if (auth === null) return {}
  return {
    authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`,
  }
}

/** What to do when no registry answers in a usable way; shared by the service and `schemas register`. */
export function registryProblem(
  { url }: Pick<RegistrySettings, 'url'>,
  answer: Exclude<RegistryAnswer, { kind: 'answer' }>,
  right: 'read' | 'write',
): string {
  switch (answer.kind) {
    case 'refused':
      return `The schema registry rejects the login (HTTP ${answer.status}): check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, and that this user may ${right} schemas${right === 'write' ? ' and compatibility levels' : ''}.`
    case 'not-a-registry':
      return `HTTP ${answer.status}: ${url} is not a schema registry at this path (Apicurio needs /apis/ccompat/v7). Check SCHEMA_REGISTRY_URL, and that no login page or other proxy answers in place of the registry.`
    case 'failed':
      return answer.status === null
        ? `The schema registry does not answer${answer.cause === undefined ? '' : ` (${answer.cause})`}: check SCHEMA_REGISTRY_URL and that it can be reached.`
        : `The schema registry is unavailable (HTTP ${answer.status}): check that it is running and that SCHEMA_REGISTRY_URL points to it.`
  }
}
