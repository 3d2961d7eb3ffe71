import { describe, expect, test } from 'vitest'
import { parseAnswer } from '../../../src/adapters/alibaba/answer.ts'
import { okBody, SHAPES, type Reading } from '../../../simulator/answers.ts'

const PLAIN: Reading = { passed: 'Y', subCode: '200', family: 'hkid2018', person: 0 }

/** The body with a RequestId in front, as the simulator sends it. */
function bodyOf(changes: Partial<Reading>): { Result: Record<string, unknown> } & Record<string, unknown> {
  return JSON.parse(`{"RequestId":"r",${okBody({ ...PLAIN, ...changes })}`) as never
}

describe('a response body', () => {
  test.each(SHAPES)('is JSON with a readable verdict in the shape %s', (shape) => {
    const { code, requestId, answer } = parseAnswer(bodyOf({ shape }))
    expect([code, requestId, answer?.passed, answer?.subCode]).toEqual(['Success', 'r', 'Y', '200'])
  })

  test("contains only strings in its Result, like the vendor's", () => {
    const { Result: result } = bodyOf({ faceAttack: true })
    expect(Object.values(result).map((value) => typeof value)).toEqual(Array(4).fill('string'))
  })

  test('omits Passed if there is no verdict', () => {
    expect(bodyOf({ passed: '' }).Result).not.toHaveProperty('Passed')
  })

  test('is created once and reused', () => {
    expect(okBody({ ...PLAIN })).toBe(okBody({ ...PLAIN }))
  })
})

describe('the document in a response body', () => {
  test.each(['trailing-comma', 'missing-comma'] as const)('is invalid JSON in the shape %s', (shape) => {
    expect(parseAnswer(bodyOf({ shape })).answer?.document).toBe('unreadable')
  })

  test('is missing in the shape absent', () => {
    expect(parseAnswer(bodyOf({ shape: 'absent' })).answer?.document).toBe('absent')
  })

  test.each(['object', 'newlines', 'doubly-encoded'] as const)(
    'has the same content in the shape %s as in the normal one',
    (shape) => {
      expect(parseAnswer(bodyOf({ shape })).answer).toEqual(parseAnswer(bodyOf({})).answer)
    },
  )

  test('contains the forgery signs', () => {
    expect(parseAnswer(bodyOf({ spoofed: true })).answer).toMatchObject({
      spoofed: true,
      spoofTypes: ['PHOTO_COPY'],
    })
    expect(parseAnswer(bodyOf({ spoofTypes: ['SCREEN_REMARK'] })).answer).toMatchObject({
      spoofed: false,
      spoofTypes: ['SCREEN_REMARK'],
    })
  })
})
