import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { SETTING_NAMES, aboutSetting } from '../../src/config/settings.ts'
import { COMPLETE, SECRET, configOf, errorOf, errorsOf, files } from './config/environments.ts'

describe('default settings', () => {
  test('three settings and a credential source are sufficient', () => {
    expect(configOf({})).toMatchObject({
      kafka: {
        brokers: ['kafka-1.example:9092', 'kafka-2.example:9093'],
        clientId: 'checkresult-stream',
        tls: null,
        sasl: null,
      },
      consumer: {
        groupId: 'checkresult-stream',
        groupInstanceId: null,
        delivery: 'exactly-once',
        sessionTimeoutMs: 10_000,
      },
      topics: {
        input: 'verification.completed',
        result: 'verification.result',
        deadLetter: 'verification.dead-letter',
      },
      registry: { url: 'http://registry.example:8081/apis/ccompat/v7', auth: null },
      checkresult: {
        endpoint: 'https://cloudauth-intl.cn-hongkong.aliyuncs.com',
        qps: 10,
        burst: 1,
        qpsGuardMs: 20,
        timeoutMs: 8_000,
        maxInFlight: 128,
      },
      defer: {
        retryTopics: [
          { topic: 'verification.completed.retry.10s', delayMs: 10_000 },
          { topic: 'verification.completed.retry.1m', delayMs: 60_000 },
          { topic: 'verification.completed.retry.10m', delayMs: 600_000 },
        ],
      },
      deferMaxAgeMs: 6 * 3_600_000,
      deadLetters: { maxRedrives: 3 },
      result: { pii: 'include' },
      ops: { host: '0.0.0.0', port: 9464 },
      log: { level: 'info' },
      shutdownDeadlineMs: 25_000,
    })
  })

  test('the burst is a tenth of the limit, but at least one', () => {
    expect(configOf({ CHECKRESULT_QPS: '3' }).checkresult.burst).toBe(1)
    expect(configOf({ CHECKRESULT_QPS: '95' }).checkresult.burst).toBe(10)
    expect(configOf({ CHECKRESULT_QPS: '95', CHECKRESULT_BURST: '95' }).checkresult.burst).toBe(95)
  })

  test('the quota is split over partitions, or counted in a Redis whose URL may contain a password', () => {
    expect(configOf({ REDIS_URL: 'redis://cache.example' }).quota).toEqual({ mode: 'partition' })
    const url = `rediss://me:${SECRET}@cache.example:6380/3`
    const { quota } = configOf({ CHECKRESULT_QUOTA: 'redis', REDIS_URL: url })
    expect(quota).toMatchObject({ mode: 'redis', key: 'checkresult:quota' })
    expect(quota.mode === 'redis' && quota.url.reveal()).toBe(url)
    expect(JSON.stringify(quota)).not.toContain(SECRET)
  })

  test.each([
    'http://cache.example',
    'redis://cache.example/0?protocol=3',
    'redis://cache.example/name',
    'redis://',
  ])('a Redis URL such as %s is rejected without showing it', (url) => {
    expect(errorOf({ REDIS_URL: url })).toMatch(
      /^REDIS_URL is invalid \(value not shown\)\. Expected a redis:/,
    )
  })

  test('an empty variable counts as not set', () => {
    expect(configOf({ CHECKRESULT_QPS: '', KAFKA_SASL_MECHANISM: ' ' }).checkresult.qps).toBe(10)
  })

  test('every default and every example is a valid value of its setting', () => {
    for (const name of SETTING_NAMES) {
      const { default: fixed, example, holds } = aboutSetting(name)
      if (holds !== 'text') continue
      for (const text of [fixed, example]) {
        if (text === undefined) continue
        const about = errorsOf({ [name]: text }).filter((fault) => fault.startsWith(`${name} is "`))
        expect(about, `${name}=${text}`).toEqual([])
      }
    }
  })
})

describe('the complete configuration', () => {
  test('reports all errors at once', () => {
    const loaded = loadConfig({
      KAFKA_BROKER: 'kafka:9092',
      CHECKRESULT_QPS: '0',
      CHECKRESULT_ENDPOINT: 'http://cloudauth.example',
      SHUTDOWN_DEADLINE: '9s',
      KAFKA_SASL_USERNAME: 'me',
      ALIBABA_CLOUD_ROLE_ARN: 'acs:ram::1:role/r',
      CHECKRESULT_QPSS: '1',
    })
    const errors = loaded.kind === 'errors' ? loaded.errors : []
    expect(errors.map((fault) => fault.split(' ', 1)[0])).toEqual([
      'KAFKA_BROKERS',
      'SCHEMA_REGISTRY_URL',
      'CHECKRESULT_ENDPOINT',
      'CHECKRESULT_QPS',
      'SHUTDOWN_DEADLINE',
      'KAFKA_SASL_USERNAME',
      'ALIBABA_CLOUD_ROLE_ARN',
      'KAFKA_BROKER',
      'CHECKRESULT_QPSS',
    ])
  })

  test('lists the effective settings with their sources and masks secrets', () => {
    const loaded = loadConfig(
      {
        ...COMPLETE,
        CHECKRESULT_QPS: '50',
        KAFKA_SASL_MECHANISM: 'plain',
        KAFKA_SASL_USERNAME: 'me',
        KAFKA_SASL_PASSWORD_FILE: '/run/secrets/sasl',
      },
      files({ '/run/secrets/sasl': SECRET }),
    )
    const rows = loaded.kind === 'ok' ? loaded.settings : []
    expect(rows).toContainEqual({ name: 'CHECKRESULT_QPS', value: '50', from: 'environment' })
    expect(rows).toContainEqual({ name: 'CHECKRESULT_BURST', value: '5', from: 'default' })
    expect(rows).toContainEqual({ name: 'DEFER_MAX_AGE', value: '6h', from: 'default' })
    expect(rows).toContainEqual({ name: 'KAFKA_SASL_PASSWORD', value: '***', from: 'file' })
    expect(rows).toContainEqual({
      name: 'ALIBABA_CLOUD_ACCESS_KEY_SECRET',
      value: '***',
      from: 'environment',
    })
    expect(rows.map(({ name }) => name)).not.toContain('KAFKA_TLS_CA_FILE')
  })

  test('never shows a secret in any textual representation', () => {
    const loaded = loadConfig({ ...COMPLETE, ALIBABA_CLOUD_SECURITY_TOKEN: `token-${SECRET}` })
    const credentials = loaded.kind === 'ok' ? loaded.config.credentials : null
    const printed = [
      JSON.stringify(loaded),
      inspect(loaded, { depth: null, showHidden: true }),
      String(credentials?.kind === 'sts' ? credentials.securityToken : ''),
      Object.values(credentials ?? {}).join(),
    ].join('\n')
    expect(printed).toContain('***')
    expect(printed).not.toContain(SECRET)
    expect(printed).not.toContain('fictitious-key-id')
  })

  test('rejects a URL with a login or token without showing them', () => {
    for (const [name, text] of [
      ['SCHEMA_REGISTRY_URL', `https://me:${SECRET}@registry.example`],
      ['SCHEMA_REGISTRY_URL', `https://registry.example?apikey=${SECRET}`],
      ['CHECKRESULT_ENDPOINT', `https://me:${SECRET}/x@cloudauth.example`],
      ['KAFKA_BROKERS', `me:${SECRET}@kafka:9092`],
    ] as const) {
      expect(errorOf({ [name]: text })).not.toContain(SECRET)
    }
  })
})
