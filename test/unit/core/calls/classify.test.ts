import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NO_ANSWER, type CheckAnswer, type NoAnswer, type Reply } from '../../../../src/core/calls/answer.ts'
import { classify, type Outcome } from '../../../../src/core/calls/classify.ts'
import { DEAD_LETTER_REASONS } from '../../../../src/core/dead-letters/dead-letter.ts'
import { DEFER_REASONS } from '../../../../src/core/records/defer.ts'
import { CIRCUIT_REASONS } from '../../../../src/core/calls/circuit-breaker.ts'
import { CALL_OUTCOMES } from '../../../../src/ports.ts'
import { answerWith } from '../../../support/answers.ts'

type Answer = Reply & { kind: 'answer' }

const PASSED: CheckAnswer = answerWith({ requestId: 'r' })

function answered(changes: Partial<Answer>): Answer {
  return {
    kind: 'answer',
    status: 200,
    code: 'Success',
    requestId: 'r',
    retryAfterMs: null,
    answer: null,
    ...changes,
  }
}

function refused(status: number, code: string): Answer {
  return answered({ status, code })
}

function noAnswer(
  failure: NoAnswer,
  status: number | null = null,
  retryAfterMs: number | null = null,
): Reply {
  return { kind: 'no-answer', failure, status, retryAfterMs }
}

describe('an answer with a verdict', () => {
  test.each(['Success', '200'])('is final with the code %s', (code) => {
    expect(classify(answered({ code, answer: PASSED }))).toEqual({ kind: 'final', answer: PASSED })
  })

  test.each(['Y', 'N'] as const)('is final with Passed %s', (passed) => {
    expect(classify(answered({ answer: { ...PASSED, passed } })).kind).toBe('final')
  })

  test('is final if its document cannot be read', () => {
    expect(classify(answered({ answer: { ...PASSED, document: 'unreadable' } })).kind).toBe('final')
  })

  test('is final even with a retry-after header', () => {
    expect(classify(answered({ retryAfterMs: 100, answer: PASSED })).kind).toBe('final')
  })

  test('is retried with Passed P', () => {
    expect(classify(answered({ answer: { ...PASSED, passed: 'P' } }))).toEqual({
      kind: 'deferred',
      reason: 'pending',
      code: 'Success',
    })
  })

  test.each([
    ['no Result', null],
    ['no Passed', { ...PASSED, passed: null }],
  ])('is unreadable with %s', (_, answer) => {
    expect(classify(answered({ answer }))).toEqual({
      kind: 'rejected',
      reason: 'unreadable-answer',
      code: 'Success',
    })
  })
})

describe('responses with status 404', () => {
  test('status 404 with ProcessNotCompleted defers the event', () => {
    expect(classify(refused(404, 'ProcessNotCompleted'))).toEqual({
      kind: 'deferred',
      reason: 'not-completed',
      code: 'ProcessNotCompleted',
    })
  })

  test.each(['InvalidApi.NotFound', 'InvalidProduct.NotFound', 'InvalidProtocol.NeedSsl'])(
    'status 404 with %s pauses all calls',
    (code) => {
      expect(classify(refused(404, code))).toEqual({ kind: 'blocked', reason: 'account', code })
    },
  )

  test('status 404 without a code pauses calls, because it may come from a gateway', () => {
    const paused = { kind: 'blocked', reason: 'refused', code: 'HTTP 404' }
    expect(classify(refused(404, ''))).toEqual(paused)
    expect(classify(noAnswer('not-json', 404))).toEqual(paused)
  })
})

describe('throttling', () => {
  test.each([
    [400, 'Throttling'],
    [400, 'Throttling.User'],
    [400, 'Throttling.Api'],
    [403, 'Throttling.Api'],
    [503, 'Throttling.Api'],
    [200, 'Throttling.User'],
  ])('is recognized by its code for any status: %i %s', (status, code) => {
    expect(classify(refused(status, code))).toEqual({ kind: 'throttled', code, retryAfterMs: null })
  })

  test('keeps the retry hint', () => {
    const reply = answered({ status: 400, code: 'Throttling.User', retryAfterMs: 1_250 })
    expect(classify(reply)).toEqual({ kind: 'throttled', code: 'Throttling.User', retryAfterMs: 1_250 })
  })

  test.each([400, 403])(
    'is not assumed for an unknown rejection with status %i and a retry hint',
    (status) => {
      const reply = answered({ status, code: 'SomethingElse', retryAfterMs: 500 })
      expect(classify(reply)).toEqual({ kind: 'throttled', code: 'SomethingElse', retryAfterMs: 500 })
    },
  )

  test.each([
    'TransactionIdInvalid',
    'MissingParameter',
    'ProcessNotCompleted',
    'Forbidden.RAMUserAccessDenied',
    'InvalidTimeStamp.Expired',
    'Success',
  ])('is not assumed for %s, whatever its status or retry hint', (code) => {
    for (const status of [400, 404, 429]) {
      const plain = classify(answered({ status, code, answer: PASSED }))
      expect(classify(answered({ status, code, answer: PASSED, retryAfterMs: 3_000 }))).toEqual(plain)
      expect(plain.kind).not.toBe('throttled')
    }
  })

  test.each(['', 'SomethingElse', 'InternalError', 'ServiceUnavailable'])(
    'is recognized by status 429 with the code "%s"',
    (code) => {
      const reply = answered({ status: 429, code, retryAfterMs: 2_000 })
      expect(classify(reply)).toMatchObject({ kind: 'throttled', retryAfterMs: 2_000 })
    },
  )

  test('is recognized by status 429 if the body is not JSON', () => {
    expect(classify(noAnswer('not-json', 429, 7_000))).toEqual({
      kind: 'throttled',
      code: 'HTTP 429',
      retryAfterMs: 7_000,
    })
  })
})

describe('an unavailable API', () => {
  test.each([
    [500, 'InternalError'],
    [503, 'ServiceUnavailable'],
    [500, 'SomethingNobodyDocumented'],
    [400, 'SignatureNonceUsed'],
    [200, 'InternalError'],
  ])('is recognized by %i %s', (status, code) => {
    expect(classify(refused(status, code))).toEqual({ kind: 'unavailable', code, retryAfterMs: null })
  })

  test('keeps the retry hint', () => {
    const reply = answered({ status: 503, code: 'ServiceUnavailable', retryAfterMs: 9_000 })
    expect(classify(reply)).toEqual({ kind: 'unavailable', code: 'ServiceUnavailable', retryAfterMs: 9_000 })
    expect(classify(noAnswer('not-json', 503, 9_000))).toEqual({
      kind: 'unavailable',
      code: 'not-json',
      retryAfterMs: 9_000,
    })
  })

  test('is reported by its status if the body has no code', () => {
    expect(classify(refused(502, ''))).toEqual({ kind: 'unavailable', code: 'HTTP 502', retryAfterMs: null })
  })

  test.each(['timeout', 'reset', 'connection-refused', 'dns', 'too-large', 'not-json', 'network'] as const)(
    'is recognized if a call fails with %s',
    (failure) => {
      expect(classify(noAnswer(failure))).toEqual({ kind: 'unavailable', code: failure, retryAfterMs: null })
    },
  )

  test('opens the circuit breaker if its certificate is invalid', () => {
    expect(classify(noAnswer('tls'))).toMatchObject({
      kind: 'blocked',
      reason: 'upstream-down',
    })
  })
})

describe('a rejected transaction', () => {
  test.each([
    'TransactionIdInvalid',
    'InvalidParameter',
    'InvalidParameter.TransactionId',
    'MissingParameter',
    'MissingTransactionId',
  ])('is rejected for good with %s', (code) => {
    expect(classify(refused(400, code))).toEqual({ kind: 'rejected', reason: 'rejected', code })
  })

  test.each([
    [400, 'SomethingNobodyDocumented', 'SomethingNobodyDocumented'],
    [200, 'SomethingNobodyDocumented', 'SomethingNobodyDocumented'],
    [401, '', 'HTTP 401'],
    [403, '', 'HTTP 403'],
    [200, '', 'HTTP 200'],
    [400, 'MissingTimestamp', 'MissingTimestamp'],
  ])('is not assumed for an undocumented code, which pauses calls: %i "%s"', (status, code, named) => {
    expect(classify(refused(status, code))).toEqual({ kind: 'blocked', reason: 'refused', code: named })
  })
})

describe('a rejected account', () => {
  test.each([
    'Forbidden.RAMUserAccessDenied',
    'Forbidden.NoPermission',
    'Forbidden',
    'NoPermission',
    'InvalidAccessKeyId.NotFound',
    'InvalidAccessKeyId.Inactive',
    'InvalidSecurityToken.Expired',
    'InvalidSecurityToken.Malformed',
    'SignatureDoesNotMatch',
    'IncompleteSignature',
    'ActionUnauthorized',
    'Unauthorized',
    'AccessDenied',
    'MissingAccessKeyId',
    'MissingSecurityToken',
  ])('pauses all calls for any status: %s', (code) => {
    for (const status of [200, 400, 403, 404]) {
      expect(classify(refused(status, code))).toEqual({ kind: 'blocked', reason: 'credentials', code })
    }
  })

  test.each(['Forbidden.AccountAccessDenied', 'InsufficientBalance', 'Forbidden.InDebt', 'ServiceNotOpened'])(
    'pauses all calls if payment is overdue or the product is not activated: %s',
    (code) => {
      expect(classify(refused(403, code))).toEqual({ kind: 'blocked', reason: 'account', code })
    },
  )

  test.each(['InvalidTimeStamp.Expired', 'InvalidTimeStamp.Format', 'IllegalTimestamp'])(
    'pauses all calls and blames the clock for %s',
    (code) => {
      expect(classify(refused(400, code))).toEqual({ kind: 'blocked', reason: 'clock', code })
    },
  )

  test('pauses all calls if there are no credentials', () => {
    expect(classify(noAnswer('no-credentials'))).toMatchObject({
      kind: 'blocked',
      reason: 'credentials',
    })
  })
})

const code = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('Success', '200', 'Throttling', 'Forbidden', 'Missing', 'constructor', '__proto__', ''),
)
const nullable = fc.option(fc.string())
const answer = fc.record({
  requestId: nullable,
  passed: fc.constantFrom('Y' as const, 'N' as const, 'P' as const, null),
  subCode: nullable,
  document: fc.constantFrom('absent' as const, 'unreadable' as const),
  spoofed: fc.option(fc.boolean()),
  spoofTypes: fc.array(fc.string()),
  faceAttacked: fc.option(fc.boolean()),
  droppedMembers: fc.array(fc.string()),
})
const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({
    kind: fc.constant('answer' as const),
    status: fc.integer({ min: 100, max: 599 }),
    code,
    requestId: nullable,
    retryAfterMs: fc.option(fc.nat()),
    answer: fc.option(answer),
  }),
  fc.record({
    kind: fc.constant('no-answer' as const),
    failure: fc.constantFrom(...NO_ANSWER),
    status: fc.option(fc.integer({ min: 100, max: 599 })),
    retryAfterMs: fc.option(fc.nat()),
  }),
)

function reasonOf(outcome: Outcome): string | null {
  if (outcome.kind === 'blocked') return outcome.reason
  return outcome.kind === 'deferred' || outcome.kind === 'rejected' ? outcome.reason : null
}

function reasonsOf(kind: Outcome['kind']): readonly (string | null)[] {
  if (kind === 'blocked') return CIRCUIT_REASONS
  if (kind === 'deferred') return DEFER_REASONS
  return kind === 'rejected' ? DEAD_LETTER_REASONS : [null]
}

test('every reply has an outcome, and every outcome has a reason from a fixed set', () => {
  fc.assert(
    fc.property(reply, (one) => {
      const outcome = classify(one)
      expect(CALL_OUTCOMES).toContain(outcome.kind)
      expect(reasonsOf(outcome.kind)).toContain(reasonOf(outcome))
    }),
    { numRuns: 1_000 },
  )
})
