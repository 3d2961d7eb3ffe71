/**
 * Tokens for OAUTHBEARER logins: from a file that another process refreshes, or from a token endpoint with the
 * client credentials grant. Tokens of an endpoint are cached until shortly before they expire, and one request
 * serves all waiting connections.
 */
import type { TokenEndpointResponse } from 'oauth4webapi'
import type { TokenConfig } from '../../../config/login.ts'
import { OperatorError } from '../../../core/safe-error.ts'
import type { Log } from '../../../ports.ts'
import { renewedSecret } from '../../renewed-secret.ts'

/** Rejects with an {@link OperatorError}. */
export type TokenProvider = () => Promise<string>

const TIMEOUT_MS = 5_000
/**
 * A broker session ends with its token, and kafkajs logs in again ten seconds earlier. With a shorter-lived token
 * it would log in before every request.
 */
const MIN_LEFT_MS = 15_000
const USED_SHARE = 0.8

type TokenLog = Pick<Log, 'warn' | 'debug'>

export interface TokenOptions {
  readonly nowMs?: () => number
  readonly timeoutMs?: number
}

export function createTokenProvider(
  config: TokenConfig,
  log: TokenLog,
  { nowMs = () => performance.now(), timeoutMs = TIMEOUT_MS }: TokenOptions = {},
): TokenProvider {
  if (config.kind === 'file') {
    const read = renewedSecret(config.token, 'KAFKA_SASL_OAUTH_TOKEN_FILE', log)
    return () => Promise.resolve(read())
  }
  return fromEndpoint(config, log, { nowMs, timeoutMs })
}

type Grant = Extract<TokenConfig, { kind: 'client-credentials' }>

function fromEndpoint(
  config: Grant,
  log: TokenLog,
  { nowMs, timeoutMs }: Required<TokenOptions>,
): TokenProvider {
  const clientSecret = renewedSecret(config.clientSecret, 'KAFKA_SASL_OAUTH_CLIENT_SECRET', log)
  let held: { readonly token: string; readonly untilMs: number } | null = null
  let asking: Promise<string> | null = null

  async function ask(): Promise<string> {
    const askedMs = nowMs()
    try {
      const { access_token: token, expires_in: seconds = 0 } = await grant(config, clientSecret(), timeoutMs)
      held = { token, untilMs: askedMs + usedMs(seconds * 1_000) }
      log.debug?.('The token endpoint has issued a token. The duration is its lifetime.', {
        durationMs: seconds * 1_000,
      })
      return token
    } finally {
      asking = null
    }
  }

  return () => (held !== null && nowMs() < held.untilMs ? Promise.resolve(held.token) : (asking ??= ask()))
}

/** A token without a lifetime is used only for the connections that wait for it. */
function usedMs(lifetimeMs: number): number {
  return Math.min(lifetimeMs * USED_SHARE, lifetimeMs - MIN_LEFT_MS)
}

async function grant(
  { url, clientId, scope }: Grant,
  secret: string,
  timeoutMs: number,
): Promise<TokenEndpointResponse> {
  // Loaded on demand, because most deployments log in with a password or certificate.
  const oauth = await import('oauth4webapi')
  const server = { issuer: url, token_endpoint: url }
  const client = { client_id: clientId }
  const response = await oauth
    .clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic(secret),
      scope === null ? {} : { scope },
      // The settings allow http:// only for loopback addresses.
      { signal: AbortSignal.timeout(timeoutMs), [oauth.allowInsecureRequests]: true },
    )
    .catch(() => {
      throw new OperatorError(
        'The token endpoint does not answer: check KAFKA_SASL_OAUTH_TOKEN_URL and that it can be reached.',
      )
    })
  try {
    return await oauth.processClientCredentialsResponse(server, client, response)
  } catch (error) {
    const refused = error instanceof oauth.ResponseBodyError ? error.error : null
    throw new OperatorError(refusal(refused, response.status))
  }
}

/**
 * The only part of an error response that is shown is a standard error name, because the rest may contain anything.
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
])

function refusal(error: string | null, status: number): string {
  return error !== null && REFUSALS.has(error)
    ? `The token endpoint rejects the client: check KAFKA_SASL_OAUTH_CLIENT_ID, KAFKA_SASL_OAUTH_CLIENT_SECRET and KAFKA_SASL_OAUTH_SCOPE. (${error})`
    : `The token endpoint answers HTTP ${status} without a token: check KAFKA_SASL_OAUTH_TOKEN_URL.`
}
