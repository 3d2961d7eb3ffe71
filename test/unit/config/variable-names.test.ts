import { describe, expect, test } from 'vitest'
import { loadParts, loadConfig } from '../../../src/config.ts'
import { COMPLETE, SECRET, errorOf, errorsOf, warningsOf } from './environments.ts'

describe('a misspelled variable name', () => {
  test.each([
    ['CHECKRESULT_QPSS', 'CHECKRESULT_QPS'],
    ['CHECKRESULT_TIMEOUTS', 'CHECKRESULT_TIMEOUT'],
    ['DEFER_DELAY', 'DEFER_DELAYS'],
    ['DEDUPE_WINDOWS', 'DEDUPE_WINDOW'],
    ['DEAD_LETTER_LIMITS', 'DEAD_LETTER_LIMIT'],
    ['RESULT_PPI', 'RESULT_PII'],
    ['OPS_PROT', 'OPS_PORT'],
    ['SHUTDOWN_DEADLIN', 'SHUTDOWN_DEADLINE'],
    ['LOG_LEVL', 'LOG_LEVEL'],
    ['REDIS_URLS', 'REDIS_URL'],
    ['RESULT_TOPIC', 'KAFKA_RESULT_TOPIC'],
    ['CHECKRESULT_TIMEOUT_SECONDS', 'CHECKRESULT_TIMEOUT'],
    ['KAFKA_BROKER', 'KAFKA_BROKERS'],
    ['KAFKA_SASL_PASSWORD_FILES', 'KAFKA_SASL_PASSWORD_FILE'],
    ['SCHEMA_REGISTRY_URI', 'SCHEMA_REGISTRY_URL'],
    ['ALIBABA_CLOUD_ACCESS_KEY_SECERT', 'ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
  ])('%s is reported as a likely typo of %s without its value', (misspelled, meant) => {
    const error = errorOf({ [misspelled]: SECRET })
    expect(error).toBe(`${misspelled} is not a setting of checkresult-stream. Did you mean ${meant}?`)
  })

  test.each(['OPS_SOMETHING_QUITE_DIFFERENT', 'CHECKRESULT_SECRET'])(
    '%s resembles no setting and is reported with a link to the list',
    (name) => {
      expect(errorOf({ [name]: SECRET })).toBe(
        `${name} is not a setting of checkresult-stream. Remove it, or see docs/settings.md for all settings.`,
      )
    },
  )

  test('a setting that cannot be read from a file is reported with its name', () => {
    expect(errorOf({ LOG_LEVEL_FILE: '/level' })).toBe(
      'LOG_LEVEL_FILE is not a setting of checkresult-stream, because LOG_LEVEL cannot be read from a file. Did you mean LOG_LEVEL?',
    )
  })

  test('a misspelled name is an error only if the command uses the setting', () => {
    const env = {
      KAFKA_BROKERS: 'kafka:9092',
      CHECKRESULT_QPSS: '1',
      DLQ_MAX_REDRIVES: '3',
      LOGLEVEL: 'warn',
    }
    expect(loadParts(['kafka'], env)).toMatchObject({ kind: 'ok', warnings: [] })
    expect(loadParts(['kafka', 'deadLetters'], env)).toMatchObject({
      errors: [expect.stringMatching(/^DLQ_MAX_REDRIVES was renamed/)],
    })
  })
})

describe('a renamed setting', () => {
  test.each([
    ['KAFKA_SESSION_TIMEOUT_MS', '10000', 'KAFKA_SESSION_TIMEOUT', '10s'],
    ['CHECKRESULT_TIMEOUT_MS', '8000', 'CHECKRESULT_TIMEOUT', '8s'],
    ['CHECKRESULT_QPS_GUARD_MS', '20', 'CHECKRESULT_QPS_GUARD', '20ms'],
    ['SHUTDOWN_DEADLINE_MS', '25000', 'SHUTDOWN_DEADLINE', '25s'],
    ['SHUTDOWN_DEADLINE_MS_FILE', '/deadline', 'SHUTDOWN_DEADLINE', '25s'],
    ['DEAD_LETTER_BRAKE', '50%', 'DEAD_LETTER_LIMIT', '50%'],
    ['DEAD_LETTER_BRAKE_HOLD', '5m', 'DEAD_LETTER_LIMIT_COOLDOWN', '6h'],
    ['DLQ_MAX_REDRIVES', '3', 'DEAD_LETTER_MAX_REDRIVES', '3'],
  ])('%s=%s is rejected with the new name %s', (before, value, now, example) => {
    const error = errorOf({ [before]: value })
    expect(error).toContain(`${before} was renamed: set ${now} instead. Expected `)
    expect(error).toContain(`, for example ${now}=${example}.`)
  })
})

describe('variable names of other programs', () => {
  test.each([
    ['KAFKA_USERNAME', 'KAFKA_SASL_USERNAME'],
    ['KAFKA_SECURITY_PROTOCOL', 'KAFKA_TLS and KAFKA_SASL_MECHANISM'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['OPSPORT', 'OPS_PORT'],
    ['REDIS_HOST', 'REDIS_URL'],
  ])('%s gives a warning that names %s', (variable, meant) => {
    expect(errorsOf({ [variable]: SECRET })).toEqual([])
    expect(warningsOf({ [variable]: SECRET })).toEqual([
      `${variable} is set, but checkresult-stream does not read it. Did you mean ${meant}?`,
    ])
  })

  test('no warning is given if the setting itself is set, directly or as a file', () => {
    expect(warningsOf({ KAFKA_BOOTSTRAP_SERVERS: 'kafka:9092', SCHEMA_REGISTRY: 'registry' })).toEqual([])
    expect(
      warningsOf(
        {
          KAFKA_PASSWORD: SECRET,
          KAFKA_SASL_PASSWORD_FILE: '/password',
          KAFKA_SASL_USERNAME: 'me',
          KAFKA_SASL_MECHANISM: 'scram-sha-512',
        },
        { '/password': SECRET },
      ),
    ).toEqual([])
  })

  test('the warning comes with the error about the missing setting', () => {
    const loaded = loadConfig({ ...COMPLETE, KAFKA_BROKERS: '', BOOTSTRAP_SERVERS: 'kafka:9092' })
    expect(loaded).toMatchObject({
      errors: [expect.stringMatching(/^KAFKA_BROKERS is not set/)],
      warnings: [expect.stringMatching(/^BOOTSTRAP_SERVERS is set, .* Did you mean KAFKA_BROKERS\?$/)],
    })
  })

  test('variables of other settings and Kubernetes service links are ignored', () => {
    const others = {
      KAFKA_HEAP_OPTS: '-Xmx1g',
      KAFKA_OPTS: '-Dx=y',
      KAFKA_PORT: 'tcp://10.0.0.1:9092',
      SCHEMA_REGISTRY_HEAP_OPTS: '-Xmx1g',
      ALIBABA_CLOUD_REGION_ID: 'cn-hongkong',
      CHECKRESULT_STREAM_SERVICE_HOST: '10.0.0.2',
      CHECKRESULT_STREAM_SERVICE_PORT_METRICS: '9464',
      CHECKRESULT_STREAM_PORT: 'tcp://10.0.0.2:9464',
      CHECKRESULT_STREAM_PORT_9464_TCP_ADDR: '10.0.0.2',
      OPSWORKS: 'x',
      CHECKRESULT_CACHE_DIR: '/cache',
      CHECKRESULT_REVISION: 'abc1234',
      PATH: '/bin',
    }
    expect([errorsOf(others), warningsOf(others)]).toEqual([[], []])
  })
})
