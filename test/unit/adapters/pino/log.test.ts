import { describe, expect, test } from 'vitest'
import { createLog } from '../../../../src/adapters/pino/log.ts'
import type { LogLevel } from '../../../../src/core/log-level.ts'
import { OperatorError, safeError } from '../../../../src/core/safe-error.ts'
import type { Log, LogFields } from '../../../../src/ports.ts'

type Line = Record<string, unknown>

function setUp(
  level: LogLevel = 'info',
  names: readonly string[] = [],
): {
  log: Log
  lines: () => Line[]
  text: () => string
} {
  const written: string[] = []
  const destination = { write: (line: string) => void written.push(line) }
  return {
    log: createLog({ level, name: 'checkresult-stream', version: '1.2.3', names, destination }),
    lines: () => written.map((line) => JSON.parse(line) as Line),
    text: () => written.join(''),
  }
}

describe('a log line', () => {
  test('has level, time, service, version, message and the given fields', () => {
    const { log, lines } = setUp()
    log.warn('A transaction failed; claiming the partition again.', {
      topic: 'verification.completed',
      partition: 3,
      offset: '12345678',
      detail: 'The brokers reject the login.',
    })
    expect(lines()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        service: 'checkresult-stream',
        version: '1.2.3',
        message: 'A transaction failed; claiming the partition again.',
        topic: 'verification.completed',
        partition: 3,
        offset: '12345678',
        detail: 'The brokers reject the login.',
      },
    ])
  })

  test('is omitted below the log level', () => {
    const { log, lines } = setUp('warn')
    log.info('one')
    log.warn('two')
    log.error('three')
    expect(lines().map(({ message }) => message)).toEqual(['two', 'three'])
    const debugging = setUp('debug')
    debugging.log.debug?.('zero', { topic: 'in', code: '110101199003070000' })
    expect(debugging.lines()).toMatchObject([
      { level: 'debug', message: 'zero', topic: 'in', code: '(withheld)' },
    ])
    const silent = setUp('silent')
    silent.log.error('four')
    expect(silent.lines()).toEqual([])
  })

  test('contains the operational details that the service needs', () => {
    const { log, lines } = setUp()
    const fields: LogFields = {
      topic: 'verification.completed.retry.10s',
      partition: 0,
      offset: '-1',
      partitions: 'verification.completed [0 1 2], verification.completed.retry.10s []',
      code: 'HTTP 503',
      reason: 'upstream-down',
      outcome: 'committed',
      attempt: 1,
      count: 500,
      durationMs: 12.5,
      address: 'http://[::1]:9464',
      detail: 'No broker in KAFKA_BROKERS answers (127.0.0.1:19092: ECONNREFUSED). Check the addresses.',
      errorType: 'OperatorError',
    }
    log.info('All of it.', fields)
    expect(lines()).toMatchObject([fields])
  })

  test('contains type, code and stack position of an error', () => {
    const { log, lines } = setUp()
    log.error(
      'An unexpected error ends the service.',
      safeError(Object.assign(new TypeError('secret'), { code: 'ERR_X' })),
    )
    expect(lines()).toMatchObject([
      { errorType: 'TypeError', code: 'ERR_X', stack: expect.stringMatching(/^at .+log\.test\.ts:\d+/m) },
    ])
    log.error('It cannot start.', safeError(new OperatorError('Port 9464 is taken.')))
    expect(lines()[1]).toMatchObject({ errorType: 'OperatorError', detail: 'Port 9464 is taken.' })
  })
})

/** Clearly fictitious. A document, an answer or a library's message may contain each of them. */
const PERSONAL = [
  '虚构人',
  '虛構人，測試',
  'FICTIVE, TEST PERSON',
  'Z683365(5)',
  'K00000000',
  '110101199003070000',
  '1990-03-07',
  '1990/3/7',
  '1990年03月07日',
  'Tëst Persön',
] as const

/** A plain name in a message looks like any other word, so the caller must not put it there. */
const TELLABLE = PERSONAL.filter((value) => value !== 'FICTIVE, TEST PERSON')

const FIELDS = [
  'topic',
  'partition',
  'offset',
  'partitions',
  'code',
  'reason',
  'outcome',
  'attempt',
  'count',
  'durationMs',
  'address',
  'errorType',
  'stack',
] as const satisfies readonly (keyof LogFields)[]

/** Topic names, assignments and offsets contain plain numbers and dates that do not come from a document. */
const NAMES_OF_OURS: ReadonlySet<string> = new Set(['topic', 'partitions', 'offset', 'address'])

test('has no debug method above the level debug, so that callers build no fields', () => {
  for (const level of ['info', 'warn', 'error', 'silent'] as const) {
    expect(setUp(level).log.debug).toBeUndefined()
  }
})

describe('personal data', () => {
  test.each(FIELDS)('is withheld in the field %s', (field) => {
    for (const value of PERSONAL) {
      if (NAMES_OF_OURS.has(field) && /^[\w/-]+$/.test(value)) continue
      const { log, lines, text } = setUp()
      log.error('A line.', { [field]: value })
      expect(lines()).toMatchObject([{ [field]: '(withheld)' }])
      expect(text()).not.toContain(value)
    }
  })

  test.each(TELLABLE)('is removed from a message: %s', (value) => {
    const { log, text } = setUp()
    log.error(`Could not read ${value}.`, { detail: `invalid "int": "${value}"` })
    expect(text()).not.toContain(value)
    expect(text()).toContain('Could not read …')
  })

  test('is withheld in unknown fields and values that are not primitive', () => {
    const { log, text, lines } = setUp()
    const answer = { ocrIdInfo: { name: 'FICTIVE, TEST PERSON' } }
    const careless: Record<string, unknown> = {
      answer,
      err: new Error('FICTIVE, TEST PERSON'),
      message: 'FICTIVE, TEST PERSON',
      level: 'FICTIVE, TEST PERSON',
      reason: answer,
      detail: answer,
      count: { toString: () => 'FICTIVE, TEST PERSON' },
      partition: Number.NaN,
    }
    log.error('A line.', careless)
    expect(text()).not.toContain('FICTIVE')
    expect(lines()).toMatchObject([
      {
        level: 'error',
        message: 'A line.',
        reason: '(withheld)',
        detail: '(withheld)',
        count: '(withheld)',
        partition: '(withheld)',
      },
    ])
  })

  test('is withheld in an error, its message, its cause and its members', () => {
    for (const value of PERSONAL) {
      const cause = Object.assign(new RangeError(value), { code: value, name: value })
      const error = Object.assign(new Error(`${value}\n    at ${value}`, { cause }), {
        value,
        code: value,
        type: value,
        url: `https://api.example/?TransactionId=${value}`,
      })
      const { log, text } = setUp()
      log.error('An unexpected error ends the service.', safeError(error))
      log.error('An unexpected error ends the service.', error)
      expect(text()).not.toContain(value)
    }
  })

  test('configured names keep their dates and long numbers', () => {
    const { log, lines } = setUp('info', ['results.20261129', 'results-2026-11-29', 'group7654321'])
    const detail = 'No results.20261129-value, results-2026-11-29 or Z683365(5), 20261130.'
    log.error('results.20261129 is missing, 1990-03-07 is not.', { detail, reason: 'Runner group7654321' })
    expect(lines()).toMatchObject([
      {
        message: 'results.20261129 is missing, … is not.',
        detail: 'No results.20261129-value, results-2026-11-29 or …, ….',
        reason: 'Runner group7654321',
      },
    ])
  })

  test('a log line has a maximum length', () => {
    const { log, text } = setUp()
    log.info('x'.repeat(10_000), { detail: 'y'.repeat(10_000), code: 'z'.repeat(10_000) })
    expect(text().length).toBeLessThan(4_500)
  })
})
