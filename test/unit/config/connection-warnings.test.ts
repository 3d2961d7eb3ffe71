import { describe, expect, test } from 'vitest'
import { GRANT, PLAIN, SECRET, warningsOf } from './environments.ts'

const REGISTRY = { SCHEMA_REGISTRY_USERNAME: 'me', SCHEMA_REGISTRY_PASSWORD: SECRET }
const REDIS = { CHECKRESULT_QUOTA: 'redis' }

describe('a secret that is sent without TLS gives a warning:', () => {
  test.each([
    [
      'a Kafka password',
      PLAIN,
      'KAFKA_SASL_MECHANISM is plain, but KAFKA_TLS is false, so the password is sent unencrypted. Set KAFKA_TLS=true.',
    ],
    [
      'a Kafka token',
      GRANT,
      'KAFKA_SASL_MECHANISM is oauthbearer, but KAFKA_TLS is false, so the token is sent unencrypted. Set KAFKA_TLS=true.',
    ],
    [
      'a Kafka password if only one broker is local',
      { ...PLAIN, KAFKA_BROKERS: '127.0.0.1:9092,kafka.example:9092' },
      'KAFKA_SASL_MECHANISM is plain, but KAFKA_TLS is false, so the password is sent unencrypted. Set KAFKA_TLS=true.',
    ],
    [
      'the registry password',
      REGISTRY,
      'SCHEMA_REGISTRY_PASSWORD is set, but SCHEMA_REGISTRY_URL does not use TLS, so the password is sent unencrypted. Use an https:// URL.',
    ],
    [
      'the Redis password',
      { ...REDIS, REDIS_URL: `redis://:${SECRET}@redis.example:6379` },
      'REDIS_URL contains a password, but does not use TLS, so the password is sent unencrypted. Use a rediss:// URL.',
    ],
  ])('%s', (_, env, warning) => {
    expect(warningsOf(env)).toEqual([warning])
  })
})

describe('there is no warning', () => {
  test.each([
    ['for a Kafka password with TLS', { ...PLAIN, KAFKA_TLS: 'true' }],
    ['for local brokers', { ...PLAIN, KAFKA_BROKERS: '127.0.0.1:9092,localhost:9093' }],
    ['for SCRAM, which does not send the password', { ...PLAIN, KAFKA_SASL_MECHANISM: 'scram-sha-512' }],
    ['for a registry with TLS', { ...REGISTRY, SCHEMA_REGISTRY_URL: 'https://registry.example' }],
    ['for a local registry', { ...REGISTRY, SCHEMA_REGISTRY_URL: 'http://localhost:8081' }],
    ['for Redis with TLS', { ...REDIS, REDIS_URL: `rediss://:${SECRET}@redis.example:6379` }],
    ['for a local Redis', { ...REDIS, REDIS_URL: `redis://:${SECRET}@127.0.0.1:6379` }],
    ['for Redis without a password', { ...REDIS, REDIS_URL: 'redis://redis.example:6379' }],
    ['without a login', {}],
  ])('%s', (_, env) => {
    expect(warningsOf(env)).toEqual([])
  })
})
