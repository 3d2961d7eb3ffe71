import { describe, expect, test } from 'vitest'
import { SECRET, configOf, faultOf, type Env } from './environments.ts'

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\nMIIC\n-----END PRIVATE KEY-----\n'

describe('faults between settings', () => {
  const SASL = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: SECRET }

  test('the limiter can only be switched off against a loopback endpoint', () => {
    expect(faultOf({ CHECKRESULT_QPS: 'unlimited' })).toMatch(
      /^CHECKRESULT_QPS is "unlimited", but CHECKRESULT_ENDPOINT is "https:.+ loopback/,
    )
    const config = configOf({ CHECKRESULT_QPS: 'unlimited', CHECKRESULT_ENDPOINT: 'http://127.0.0.1:8080' })
    expect(config.checkresult).toMatchObject({ qps: 'unlimited', burst: null })
  })

  test.each([
    [{ CHECKRESULT_QPS: '5', CHECKRESULT_BURST: '6' }, /^CHECKRESULT_BURST is 6, but CHECKRESULT_QPS is 5/],
    [
      { CHECKRESULT_TIMEOUT_MS: '20001' },
      /^SHUTDOWN_DEADLINE_MS is 25000, but CHECKRESULT_TIMEOUT_MS is 20001.+=25001\.$/,
    ],
    [{ DEFER_MAX_AGE: '5m' }, /^DEFER_MAX_AGE is 300s, but DEFER_DELAYS ends with 10m/],
    [
      { KAFKA_RETRY_TOPIC_PREFIX: 'x'.repeat(247) },
      /^KAFKA_RETRY_TOPIC_PREFIX makes topic names of 251 letters/,
    ],
    [
      { KAFKA_RESULT_TOPIC: 'verification.completed' },
      /^KAFKA_RESULT_TOPIC leads to the topic .+ as KAFKA_INPUT_TOPIC does/,
    ],
    [{ KAFKA_RESULT_TOPIC: 'verification_completed' }, /dots and underscores count as the same/],
    [
      { KAFKA_RESULT_TOPIC: 'verification.completed.retry.1m' },
      /^KAFKA_RETRY_TOPIC_PREFIX leads to the topic/,
    ],
    [
      { ...SASL, KAFKA_SASL_PASSWORD: '' },
      /^KAFKA_SASL_MECHANISM and KAFKA_SASL_USERNAME are set, but KAFKA_SASL_PASSWORD is not/,
    ],
    [
      { KAFKA_SASL_USERNAME: 'me' },
      /^KAFKA_SASL_USERNAME is set, but KAFKA_SASL_MECHANISM and KAFKA_SASL_PASSWORD are not/,
    ],
    [
      { SCHEMA_REGISTRY_USERNAME: 'me' },
      /^SCHEMA_REGISTRY_USERNAME is set, but SCHEMA_REGISTRY_PASSWORD is not/,
    ],
    [
      { ALIBABA_CLOUD_ECS_METADATA: 'role', ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'TRUE' },
      /^ALIBABA_CLOUD_ECS_METADATA is set, but ALIBABA_CLOUD_ECS_METADATA_DISABLED is true/,
    ],
  ])('%o is refused', (env: Env, sentence) => {
    expect(faultOf(env)).toMatch(sentence)
  })

  test('TLS files need TLS to be on, and certificate and key go together', () => {
    const contents = { '/tls/ca.crt': PEM, '/tls/tls.crt': PEM, '/tls/tls.key': KEY }
    expect(faultOf({ KAFKA_TLS_CA_FILE: '/tls/ca.crt' }, contents)).toMatch(
      /^KAFKA_TLS_CA_FILE is set, but KAFKA_TLS is false/,
    )
    expect(faultOf({ KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: '/tls/tls.crt' }, contents)).toMatch(
      /^KAFKA_TLS_CERT_FILE is set, but KAFKA_TLS_KEY_FILE is not/,
    )
    const { tls } = configOf(
      {
        KAFKA_TLS: 'true',
        KAFKA_TLS_CA_FILE: '/tls/ca.crt',
        KAFKA_TLS_CERT_FILE: '/tls/tls.crt',
        KAFKA_TLS_KEY_FILE: '/tls/tls.key',
      },
      contents,
    ).kafka
    expect(tls).toMatchObject({ ca: PEM.trimEnd(), cert: PEM.trimEnd() })
    expect(tls?.key?.reveal()).toBe(KEY.trimEnd())
  })

  test('a rule is silent about settings that are faulty by themselves', () => {
    expect(faultOf({ CHECKRESULT_QPS: '0', CHECKRESULT_BURST: '6' })).toMatch(/^CHECKRESULT_QPS is "0"/)
  })

  test('a complete login is taken', () => {
    const { sasl } = configOf(SASL).kafka
    expect(sasl).toMatchObject({ mechanism: 'plain', username: 'me' })
    expect(sasl?.password.reveal()).toBe(SECRET)
  })
})
