import { describe, expect, test } from 'vitest'
import { loadConfig, loadParts } from '../../../src/config.ts'
import { PARTS, settingsOf, type Part } from '../../../src/config/parts.ts'
import { SETTING_NAMES } from '../../../src/config/settings.ts'
import { COMPLETE, SECRET, type Env } from './environments.ts'

/** Contains no default values. */
const ENV: Env = {
  ...COMPLETE,
  KAFKA_TLS: 'true',
  KAFKA_CLIENT_ID: 'another-client',
  KAFKA_SASL_MECHANISM: 'plain',
  KAFKA_SASL_USERNAME: 'me',
  KAFKA_SASL_PASSWORD: SECRET,
  KAFKA_INPUT_TOPIC: 'in',
  KAFKA_RETRY_TOPIC_PREFIX: 'again',
  SCHEMA_REGISTRY_USERNAME: 'me',
  SCHEMA_REGISTRY_PASSWORD: SECRET,
  CHECKRESULT_QPS: '50',
  CHECKRESULT_QUOTA: 'redis',
  REDIS_URL: 'redis://cache.example',
  DEFER_DELAYS: '1s,2s',
  DEDUPE_WINDOW: '3m',
  DEAD_LETTER_LIMIT: 'off',
  DEAD_LETTER_MAX_REDRIVES: '9',
  RESULT_PII: 'mask',
  OPS_PORT: '1',
  LOG_LEVEL: 'warn',
  SHUTDOWN_DEADLINE: '30s',
}

test('every setting belongs to a part', () => {
  expect(settingsOf(PARTS)).toEqual(SETTING_NAMES)
})

test.each(PARTS)('loading only the part %s gives the same result as loading everything', (part) => {
  const whole = loadConfig(ENV)
  const only = loadParts([part], ENV)
  if (whole.kind !== 'ok' || only.kind !== 'ok') throw new Error('The settings are invalid.')
  expect(only.config).toEqual({ [part]: whole.config[part] })
})

function errors(parts: readonly Part[], env: Env): readonly string[] {
  const loaded = loadParts(parts, env)
  return loaded.kind === 'ok' ? [] : loaded.errors.map((error) => error.split(' ', 1)[0] ?? '')
}

describe('a command that uses some parts', () => {
  test('requires only the settings of its parts', () => {
    expect(errors(['kafka', 'topics', 'defer'], {})).toEqual(['KAFKA_BROKERS'])
    expect(errors(['registry', 'topics'], {})).toEqual(['SCHEMA_REGISTRY_URL'])
    expect(errors(['checkresult', 'credentials'], {})).toEqual(['No'])
    expect(errors(['quota'], {})).toEqual([])
    expect(errors(PARTS, {})).toEqual(['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'No'])
  })

  test('ignores invalid settings of other parts and rules that involve them', () => {
    const env = { ...COMPLETE, CHECKRESULT_QPS: '0', SHUTDOWN_DEADLINE: '1s', KAFKA_SASL_USERNAME: 'me' }
    expect(errors(['registry', 'topics'], env)).toEqual([])
    expect(errors(['kafka'], env)).toEqual(['KAFKA_SASL_USERNAME'])
  })

  test.each(['KAFKA_DELIVERY', 'KAFKA_SESSION_TIMEOUT', 'KAFKA_COMPRESSION', 'DEFER_MAX_AGE'])(
    'does not read %s to connect to Kafka',
    (name) => {
      expect(errors(['kafka', 'topics', 'defer'], { ...COMPLETE, [name]: 'bogus' })).toEqual([])
    },
  )

  test('ignores the old name of a setting that only the service uses', () => {
    const env = { ...COMPLETE, KAFKA_SESSION_TIMEOUT_MS: '10000' }
    expect(errors(['kafka', 'topics', 'defer'], env)).toEqual([])
    expect(errors(PARTS, env)).toEqual(['KAFKA_SESSION_TIMEOUT_MS'])
  })

  test('lists only its own settings in the rows of "config check"', () => {
    const loaded = loadParts(['ops', 'log'], {})
    expect(loaded.kind === 'ok' && loaded.settings.map(({ name }) => name)).toEqual([
      'OPS_HOST',
      'OPS_PORT',
      'LOG_LEVEL',
    ])
  })
})
