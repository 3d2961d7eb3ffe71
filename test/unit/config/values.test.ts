import { describe, expect, test } from 'vitest'
import { SECRET, errorOf, errorsOf } from './environments.ts'

describe('errors of a single setting', () => {
  test.each([
    ['KAFKA_BROKERS', undefined],
    ['KAFKA_BROKERS', 'kafka'],
    ['KAFKA_BROKERS', 'kafka:0'],
    ['KAFKA_BROKERS', 'kafka:65536'],
    ['KAFKA_BROKERS', 'kafka:9092,'],
    ['KAFKA_BROKERS', '[::1]:9092'],
    ['KAFKA_BROKERS', '::1:9092'],
    ['KAFKA_BROKERS', 'SASL_SSL://kafka:9092'],
    ['KAFKA_CLIENT_ID', 'two words'],
    ['KAFKA_TLS', 'yes'],
    ['KAFKA_SASL_MECHANISM', 'GSSAPI'],
    ['KAFKA_GROUP_ID', 'a/b'],
    ['KAFKA_GROUP_INSTANCE_ID', 'pod 1'],
    ['KAFKA_GROUP_INSTANCE_ID', '.'],
    ['KAFKA_GROUP_INSTANCE_ID', 'x'.repeat(250)],
    ['KAFKA_INPUT_TOPIC', '..'],
    ['KAFKA_INPUT_TOPIC', 'with space'],
    ['KAFKA_RESULT_TOPIC', 'x'.repeat(250)],
    ['KAFKA_SESSION_TIMEOUT', '5999ms'],
    ['KAFKA_SESSION_TIMEOUT', '10000'],
    ['KAFKA_SESSION_TIMEOUT', '31m'],
    ['SCHEMA_REGISTRY_URL', undefined],
    ['SCHEMA_REGISTRY_URL', 'registry:8081'],
    ['SCHEMA_REGISTRY_URL', 'http://registry:8081?token=x'],
    ['CHECKRESULT_ENDPOINT', 'cloudauth-intl.cn-hongkong.aliyuncs.com'],
    ['CHECKRESULT_ENDPOINT', 'http://cloudauth-intl.cn-hongkong.aliyuncs.com'],
    ['CHECKRESULT_ENDPOINT', 'http://127.0.0.1.example'],
    ['CHECKRESULT_ENDPOINT', 'http://127.0.0.1@cloudauth.example'],
    ['CHECKRESULT_ENDPOINT', 'https://cloudauth.example/path'],
    ['CHECKRESULT_QPS', '0'],
    ['CHECKRESULT_QUOTA', 'both'],
    ['CHECKRESULT_QUOTA_KEY', 'two words'],
    ['CHECKRESULT_QPS', '-1'],
    ['CHECKRESULT_QPS', '2.5'],
    ['CHECKRESULT_QPS', '1e3'],
    ['CHECKRESULT_QPS', 'off'],
    ['CHECKRESULT_BURST', '0'],
    ['CHECKRESULT_QPS_GUARD', '1001ms'],
    ['CHECKRESULT_QPS_GUARD', '00'],
    ['CHECKRESULT_TIMEOUT', '8000'],
    ['CHECKRESULT_MAX_IN_FLIGHT', '0'],
    ['DEFER_DELAYS', '10s,5s'],
    ['DEFER_DELAYS', '10s,10s'],
    ['DEFER_DELAYS', '10'],
    ['DEFER_DELAYS', '1s,2s,3s,4s,5s,6s,7s,8s,9s'],
    ['DEFER_DELAYS', '2d'],
    ['DEFER_MAX_AGE', '31d'],
    ['DEFER_MAX_AGE', '1w'],
    ['RESULT_PII', 'none'],
    ['OPS_HOST', 'http://0.0.0.0'],
    ['OPS_PORT', '65536'],
    ['LOG_LEVEL', 'verbose'],
    ['SHUTDOWN_DEADLINE', '10ms'],
    ['ALIBABA_CLOUD_ECS_METADATA', 'a role'],
    ['ALIBABA_CLOUD_IMDSV1_DISABLED', '1'],
  ])('%s=%s is rejected with one message that has the value found and an example', (name, text) => {
    const error = errorOf({ [name]: text })
    expect(error).toContain(text === undefined ? `${name} is not set` : `${name} is "`)
    expect(error).toMatch(new RegExp(`\\. (The quotation marks .+ )?Expected .+, for example ${name}=.+\\.$`))
    expect(error).not.toContain('\n')
  })

  test('quotation marks around a value are named as the cause', () => {
    expect(errorOf({ CHECKRESULT_QPS: '"10"' })).toBe(
      String.raw`CHECKRESULT_QPS is "\"10\"". The quotation marks are part of the value: remove them. ` +
        'Expected an integer from 1 to 100000 (to call without a limit, set CHECKRESULT_QPS=unlimited with a loopback ' +
        'CHECKRESULT_ENDPOINT), for example CHECKRESULT_QPS=10.',
    )
  })

  test.each(['0', '0s', '0ms'])('CHECKRESULT_QPS_GUARD=%s is zero', (text) => {
    expect(errorsOf({ CHECKRESULT_QPS_GUARD: text })).toEqual([])
    expect(errorOf({ CHECKRESULT_QPS_GUARD: '2s' })).toContain('(ms, s, m, h or d; 0 needs no unit)')
  })

  test('the error about a limit of 0 says how to call without a limit', () => {
    const error = errorOf({ CHECKRESULT_QPS: '0' })
    expect(error).toContain('to call without a limit, set CHECKRESULT_QPS=unlimited')
    expect(error).toContain('loopback')
  })

  test('accepts http for every notation of a loopback address', () => {
    for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '[::1]', '127.1']) {
      expect(errorsOf({ CHECKRESULT_ENDPOINT: `http://${host}:8080` })).toEqual([])
    }
  })

  test('a rejected value is quoted in one short line', () => {
    const error = errorOf({ LOG_LEVEL: `a\nb\u001b[31m${'x'.repeat(500)}` })
    expect(error).toContain(String.raw`"a\nb\u001b[31m`)
    expect(error.length).toBeLessThan(250)
  })
})

test.each(['SCHEMA_REGISTRY_URL', 'CHECKRESULT_ENDPOINT', 'KAFKA_SASL_OAUTH_TOKEN_URL'])(
  'an error about %s shows neither the query nor the fragment of its address',
  (name) => {
    for (const separator of ['?', '#', '/#', '/?a=1#']) {
      const error = errorsOf({ [name]: `https://host.example${separator}${SECRET}` }).join(' ')
      expect(error).toContain(`${name} is "https://host.example`)
      expect(error).toContain('***')
      expect(error).not.toContain(SECRET)
    }
  },
)
