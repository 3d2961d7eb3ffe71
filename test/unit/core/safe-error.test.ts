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

test('of a foreign error only the type, the code and the place are told', () => {
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

test('an error for the operator keeps its message', () => {
  expect(safeError(new OperatorError('Port 9464 is taken.'))).toMatchObject({
    errorType: 'OperatorError',
    detail: 'Port 9464 is taken.',
  })
})

describe('the code', () => {
  test('is the protocol error where kafkajs names one', () => {
    const error = Object.assign(new Error(SECRET), { type: 'INVALID_PRODUCER_EPOCH', code: 47 })
    expect(safeError(error).code).toBe('INVALID_PRODUCER_EPOCH')
  })

  test('is that of the cause where the error has none', () => {
    const cause = Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' })
    const error = new Error('fetch failed', { cause: new Error('again', { cause }) })
    expect(safeError(error).code).toBe('ECONNREFUSED')
  })

  test('is left out where it is no code', () => {
    expect(safeError(Object.assign(new Error('x'), { code: SECRET }))).not.toHaveProperty('code')
  })

  test('is looked for in a ring of causes, but not for ever', () => {
    const error: Error & { cause?: unknown } = new Error('x')
    error.cause = error
    expect(safeError(error)).not.toHaveProperty('code')
  })
})

describe('the stack', () => {
  test('has no line of the message, not even one that looks like a frame', () => {
    const error = new Error('first\n    at CHAN (file:///secret.ts:1:1)\nlast')
    const { stack = '' } = safeError(error)
    expect(stack).not.toContain('secret')
    expect(stack.split('\n').length).toBeGreaterThan(1)
    expect(isStack(stack)).toBe(true)
  })

  test('keeps only frames where the message was changed afterwards', () => {
    const error = new Error(`${SECRET}\n${SECRET}`)
    error.message = 'other'
    expect(safeError(error).stack).not.toContain('Z683365')
  })

  test('of an engine error leads to the line', () => {
    const safe = safeError(thrown(() => JSON.parse(SECRET)))
    expect(safe.errorType).toBe('SyntaxError')
    expect(JSON.stringify(safe)).not.toContain('CHAN')
    expect(safe.stack).toContain('safe-error.test.ts')
  })
})

test.each([undefined, null, 0, 'text', Symbol('x'), () => 1, {}, [], Object.create(null)])(
  'anything may be thrown: %o',
  (value) => {
    expect(typeof safeError(value).errorType).toBe('string')
  },
)

test('members that throw when read are passed over', () => {
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

test('whatever is thrown, no text of it gets out but its type and code', () => {
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
