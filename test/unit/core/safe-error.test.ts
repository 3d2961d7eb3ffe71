import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OperatorError, isStack, safeError } from '../../../src/core/safe-error.ts'

const SECRET = 'CHAN Tai Fictitious Z683365(5)'

function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown.')
}

test('an external error is reduced to its type, code and stack position', () => {
  const error = Object.assign(new TypeError(`invalid "int": ${SECRET}`), {
    code: 'ERR_INVALID',
    record: SECRET,
  })
  const safe = safeError(error)
  expect(safe).toMatchObject({ errorType: 'TypeError', code: 'ERR_INVALID' })
  expect(safe).not.toHaveProperty('detail')
  expect(safe.stack).toMatch(/^at .+safe-error\.test\.ts:\d+:\d+\)?$/m)
  expect(JSON.stringify(safe)).not.toContain('Z683365')
})

test('an operator error keeps its message and has no stack', () => {
  expect(safeError(new OperatorError('Port 9464 is taken.'))).toEqual({
    errorType: 'OperatorError',
    detail: 'Port 9464 is taken.',
  })
})

describe('the code of an error', () => {
  test('is the protocol error that kafkajs names', () => {
    const error = Object.assign(new Error(SECRET), { type: 'INVALID_PRODUCER_EPOCH', code: 47 })
    expect(safeError(error).code).toBe('INVALID_PRODUCER_EPOCH')
  })

  test('is taken from the cause if the error has none', () => {
    const cause = Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' })
    const error = new Error('fetch failed', { cause: new Error('again', { cause }) })
    expect(safeError(error).code).toBe('ECONNREFUSED')
  })

  test('is omitted if it does not look like a code', () => {
    expect(safeError(Object.assign(new Error('x'), { code: SECRET }))).not.toHaveProperty('code')
  })

  test('is searched in circular causes without looping forever', () => {
    const error: Error & { cause?: unknown } = new Error('x')
    error.cause = error
    expect(safeError(error)).not.toHaveProperty('code')
  })
})

describe('the stack of an error', () => {
  test('contains no line of the message, not even one that looks like a frame', () => {
    const error = new Error('first\n    at CHAN (file:///secret.ts:1:1)\nlast')
    const { stack = '' } = safeError(error)
    expect(stack).not.toContain('secret')
    expect(stack.split('\n').length).toBeGreaterThan(1)
    expect(isStack(stack)).toBe(true)
  })

  test('contains only frames if the message was changed afterwards', () => {
    const error = new Error(`${SECRET}\n${SECRET}`)
    error.message = 'other'
    expect(safeError(error).stack).not.toContain('Z683365')
  })

  test('contains the source line of an engine error', () => {
    const safe = safeError(thrown(() => JSON.parse(SECRET)))
    expect(safe.errorType).toBe('SyntaxError')
    expect(JSON.stringify(safe)).not.toContain('CHAN')
    expect(safe.stack).toContain('safe-error.test.ts')
  })
})

test.each([undefined, null, 0, 'text', Symbol('x'), () => 1, {}, [], Object.create(null)])(
  'accepts any thrown value: %o',
  (value) => {
    expect(typeof safeError(value).errorType).toBe('string')
  },
)

test('skips members that throw when they are read', () => {
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error(SECRET)
      },
    },
  )
  expect(safeError(hostile)).toEqual({ errorType: 'object' })
})

test('exposes only type and code of any thrown value', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const mark = 'F1ctit1ous Mark'
      const error = Object.assign(new Error(`${before}${mark}${after}`), {
        name: `${before}${mark}`,
        code: `${mark}${after}`,
      })
      expect(JSON.stringify(safeError(error))).not.toContain(mark)
    }),
  )
})
