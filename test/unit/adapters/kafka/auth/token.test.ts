import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createTokenProvider, type TokenProvider } from '../../../../../src/adapters/kafka/auth/token.ts'
import { Secret } from '../../../../../src/config/secret.ts'
import { CLIENT, startTokenEndpoint, type TokenEndpoint } from '../../../../support/token-endpoint.ts'

let endpoint: TokenEndpoint
let nowMs: number

const silent = { warn: () => {} }

beforeEach(async () => {
  endpoint = await startTokenEndpoint()
  onTestFinished(async () => endpoint.close())
  nowMs = 0
})

describe('a token from an endpoint', () => {
  test('is requested once for any number of waiting callers', async () => {
    const token = provider()
    const [first, ...others] = await Promise.all(Array.from({ length: 10 }, () => token()))
    expect(first).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(new Set(others)).toEqual(new Set([first]))
    expect(endpoint.count()).toBe(1)
  })

  test.each([
    [100, 80_000],
    [30, 15_000],
  ])('a token with a lifetime of %d s is used for %d ms', async (lifetimeS, usedMs) => {
    endpoint.lifetimeS = lifetimeS
    const token = provider()
    await token()
    nowMs = usedMs - 1
    await token()
    expect(endpoint.count()).toBe(1)
    nowMs = usedMs
    await token()
    expect(endpoint.count()).toBe(2)
  })

  test('is used once if its lifetime is unknown or too short for a session', async () => {
    const token = provider()
    endpoint.lifetimeS = 10
    await token()
    await token()
    expect(endpoint.count()).toBe(2)
    endpoint.answerWith({ status: 200, body: '{"access_token":"a.b.c","token_type":"Bearer"}' })
    expect([await token(), await token()]).toEqual(['a.b.c', 'a.b.c'])
  })

  test('is requested again after a failure', async () => {
    const token = provider()
    endpoint.answerWith({ status: 503, body: 'away' })
    await expect(token()).rejects.toThrow('answers HTTP 503 without a token')
    endpoint.answerWith(null)
    expect(await token()).toMatch(/\./)
  })

  test.each([
    [
      400,
      '{"error":"invalid_scope","error_description":"ZQXJKV"}',
      /rejects the client: check .*SCOPE.*invalid_scope/,
    ],
    [
      401,
      '{"error":"invalid_client"}',
      /rejects the client: check KAFKA_SASL_OAUTH_CLIENT_ID.*invalid_client/,
    ],
    [400, '{"error":"ZQXJKV"}', /answers HTTP 400 without a token: check KAFKA_SASL_OAUTH_TOKEN_URL/],
    [200, '<html>ZQXJKV</html>', /answers HTTP 200 without a token/],
    [200, '{"access_token":""}', /without a token/],
    [302, 'ZQXJKV', /answers HTTP 302/],
  ])(
    'a rejection with %d %s gives a message with advice and nothing else from the response',
    async (status, body, message) => {
      endpoint.answerWith({ status, body })
      const error = await provider()().catch((thrown: unknown) => thrown)
      expect(String(error)).toMatch(message)
      expect(String(error)).not.toMatch(/ZQXJKV|sesame/)
    },
  )

  test('is rejected for a wrong secret', async () => {
    await expect(provider(endpoint.url, 'wrong')()).rejects.toThrow(/invalid_client/)
  })

  test.each(['nothing listens', 'nothing responds'])('is reported as unavailable if %s', async (what) => {
    const url = what === 'nothing listens' ? 'http://127.0.0.1:1/token' : await blackHole()
    await expect(provider(url, CLIENT.secret, SHORT_TIMEOUT_MS)()).rejects.toThrow(
      /does not answer: check KAFKA_SASL_OAUTH_TOKEN_URL/,
    )
  })
})

const SHORT_TIMEOUT_MS = 50

function provider(url = endpoint.url, secret: string = CLIENT.secret, timeoutMs = 5_000): TokenProvider {
  const clientSecret = new Secret(secret)
  return createTokenProvider(
    { kind: 'client-credentials', url, clientId: CLIENT.id, clientSecret, scope: 'kafka' },
    silent,
    { nowMs: () => nowMs, timeoutMs },
  )
}

async function blackHole(): Promise<string> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('connection', (socket) => onTestFinished(() => void socket.destroy()))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
}
