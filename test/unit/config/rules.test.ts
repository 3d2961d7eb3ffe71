import { describe, expect, test } from 'vitest'
import { createAuthority, issue } from '../../support/certificates.ts'
import { GRANT, PLAIN, SECRET, configOf, errorOf, type Env } from './environments.ts'

describe('rules between settings', () => {
  test('CHECKRESULT_QPS can be unlimited only with a loopback endpoint', () => {
    expect(errorOf({ CHECKRESULT_QPS: 'unlimited' })).toMatch(
      /^CHECKRESULT_QPS is "unlimited", but CHECKRESULT_ENDPOINT is "https:.+ loopback/,
    )
    const config = configOf({ CHECKRESULT_QPS: 'unlimited', CHECKRESULT_ENDPOINT: 'http://127.0.0.1:8080' })
    expect(config.checkresult).toMatchObject({ qps: 'unlimited', burst: null })
  })

  test.each([
    [{ CHECKRESULT_QPS: '5', CHECKRESULT_BURST: '6' }, /^CHECKRESULT_BURST is 6, but CHECKRESULT_QPS is 5/],
    [
      { CHECKRESULT_QUOTA: 'redis' },
      /^CHECKRESULT_QUOTA is redis, but REDIS_URL is not set\. Expected .+REDIS_URL=/,
    ],
    [
      { CHECKRESULT_TIMEOUT: '20001ms' },
      /^SHUTDOWN_DEADLINE is 25s, but CHECKRESULT_TIMEOUT is 20001ms.+=25001ms\.$/,
    ],
    [
      { CHECKRESULT_TIMEOUT: '8000ms', SHUTDOWN_DEADLINE: '10000ms' },
      /^SHUTDOWN_DEADLINE is 10000ms, but CHECKRESULT_TIMEOUT is 8000ms.+=13s\.$/,
    ],
    [{ DEFER_MAX_AGE: '5m' }, /^DEFER_MAX_AGE is 5m, but DEFER_DELAYS ends with 10m/],
    [
      { KAFKA_RETRY_TOPIC_PREFIX: 'x'.repeat(247) },
      /^KAFKA_RETRY_TOPIC_PREFIX and DEFER_DELAYS make topic names of 251 characters/,
    ],
    [
      { KAFKA_RESULT_TOPIC: 'verification.completed' },
      /^KAFKA_RESULT_TOPIC gives the topic .+ which KAFKA_INPUT_TOPIC gives, too/,
    ],
    [{ KAFKA_RESULT_TOPIC: 'verification_completed' }, /dots and underscores count as the same/],
    [{ KAFKA_RESULT_TOPIC: 'verification.completed.retry.1m' }, /^KAFKA_RETRY_TOPIC_PREFIX gives the topic/],
    [
      { ...PLAIN, KAFKA_SASL_PASSWORD: '' },
      /^KAFKA_SASL_MECHANISM and KAFKA_SASL_USERNAME are set, but KAFKA_SASL_PASSWORD is not/,
    ],
    [
      { KAFKA_SASL_USERNAME: 'me' },
      /^KAFKA_SASL_USERNAME is set, but KAFKA_SASL_MECHANISM and KAFKA_SASL_PASSWORD are not/,
    ],
    [
      { ...PLAIN, KAFKA_SASL_OAUTH_CLIENT_ID: 'me' },
      /^KAFKA_SASL_OAUTH_CLIENT_ID is set, but KAFKA_SASL_MECHANISM is plain\. Expected KAFKA_SASL_MECHANISM=oauthbearer/,
    ],
    [
      { KAFKA_SASL_OAUTH_CLIENT_ID: 'me' },
      /^KAFKA_SASL_OAUTH_CLIENT_ID is set, but KAFKA_SASL_MECHANISM is not set\. Expected/,
    ],
    [
      { KAFKA_SASL_MECHANISM: 'oauthbearer' },
      /^KAFKA_SASL_MECHANISM is oauthbearer, but there is no token\. Expected KAFKA_SASL_OAUTH_TOKEN_FILE, or/,
    ],
    [
      { ...GRANT, KAFKA_SASL_OAUTH_CLIENT_SECRET: '' },
      /^KAFKA_SASL_OAUTH_TOKEN_URL and KAFKA_SASL_OAUTH_CLIENT_ID are set, but KAFKA_SASL_OAUTH_CLIENT_SECRET is not/,
    ],
    [
      { ...GRANT, KAFKA_SASL_PASSWORD: SECRET },
      /^KAFKA_SASL_PASSWORD is set, but KAFKA_SASL_MECHANISM is oauthbearer\. Expected/,
    ],
    [
      { ...GRANT, KAFKA_SASL_OAUTH_TOKEN_URL: 'http://login.example/token' },
      /^KAFKA_SASL_OAUTH_TOKEN_URL is "http:.+"\. Expected an https:/,
    ],
    [
      { SCHEMA_REGISTRY_USERNAME: 'me' },
      /^SCHEMA_REGISTRY_USERNAME is set, but SCHEMA_REGISTRY_PASSWORD is not\. Set both, or neither\.$/,
    ],
    [
      { ALIBABA_CLOUD_ECS_METADATA: 'role', ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'TRUE' },
      /^ALIBABA_CLOUD_ECS_METADATA is set, but ALIBABA_CLOUD_ECS_METADATA_DISABLED is true/,
    ],
  ])('rejects %j', (env: Env, message) => {
    expect(errorOf(env)).toMatch(message)
  })

  test('TLS files require KAFKA_TLS, and a certificate requires its key', async () => {
    const authority = await createAuthority()
    const { cert, key } = await issue(authority, { name: 'checkresult' })
    const contents = { '/tls/ca.crt': authority.cert, '/tls/tls.crt': cert, '/tls/tls.key': key }
    expect(errorOf({ KAFKA_TLS_CA_FILE: '/tls/ca.crt' }, contents)).toMatch(
      /^KAFKA_TLS_CA_FILE is set, but KAFKA_TLS is false/,
    )
    expect(errorOf({ KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: '/tls/tls.crt' }, contents)).toMatch(
      /^KAFKA_TLS_CERT_FILE is set, but KAFKA_TLS_KEY_FILE is not/,
    )
    const all = {
      KAFKA_TLS: 'true',
      KAFKA_TLS_CA_FILE: '/tls/ca.crt',
      KAFKA_TLS_CERT_FILE: '/tls/tls.crt',
      KAFKA_TLS_KEY_FILE: '/tls/tls.key',
    }
    const { tls } = configOf(all, contents).kafka
    expect([tls?.ca, tls?.cert, tls?.key].map((one) => [one?.reveal(), one?.file])).toEqual([
      [authority.cert.trimEnd(), '/tls/ca.crt'],
      [cert.trimEnd(), '/tls/tls.crt'],
      [key.trimEnd(), '/tls/tls.key'],
    ])
    const other = await issue(authority, { name: 'another' })
    expect(errorOf(all, { ...contents, '/tls/tls.key': other.key })).toMatch(
      /^KAFKA_TLS_KEY_FILE does not belong to KAFKA_TLS_CERT_FILE\. Expected the private key/,
    )
    expect(errorOf(all, { ...contents, '/tls/ca.crt': authority.cert.slice(0, -100) })).toMatch(
      /^KAFKA_TLS_CA_FILE is "\/tls\/ca.crt"\. Expected the path of a PEM file/,
    )
  })

  test('a rule does not report settings that are invalid on their own', () => {
    expect(errorOf({ CHECKRESULT_QPS: '0', CHECKRESULT_BURST: '6' })).toMatch(/^CHECKRESULT_QPS is "0"/)
  })

  test('a token comes from either a file or an endpoint, not both', () => {
    const file = { KAFKA_SASL_MECHANISM: 'oauthbearer', KAFKA_SASL_OAUTH_TOKEN_FILE: '/run/token' }
    const contents = { '/run/token': 'a.b.c\n' }
    expect(errorOf({ ...GRANT, ...file }, contents)).toMatch(
      /^KAFKA_SASL_OAUTH_TOKEN_FILE and KAFKA_SASL_OAUTH_TOKEN_URL and .+ are set\. Expected only one source of the token/,
    )
    expect(errorOf(file, { '/run/token': 'no token at all' })).toMatch(
      /^KAFKA_SASL_OAUTH_TOKEN_FILE is "\/run\/token"\. Expected the path of a file with a token/,
    )
    const { sasl } = configOf(file, contents).kafka
    const token = sasl !== null && 'token' in sasl && sasl.token.kind === 'file' ? sasl.token.token : null
    expect([token?.reveal(), token?.file]).toEqual(['a.b.c', '/run/token'])
    expect(configOf({ ...GRANT, KAFKA_SASL_OAUTH_SCOPE: 'kafka' }).kafka.sasl).toMatchObject({
      mechanism: 'oauthbearer',
      token: {
        kind: 'client-credentials',
        url: 'https://login.example/token',
        clientId: 'me',
        scope: 'kafka',
      },
    })
  })

  test('accepts a complete login', () => {
    const { sasl } = configOf(PLAIN).kafka
    expect(sasl).toMatchObject({ mechanism: 'plain', username: 'me' })
    expect(sasl !== null && 'password' in sasl && sasl.password.reveal()).toBe(SECRET)
  })
})
