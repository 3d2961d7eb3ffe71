import { describe, expect, test } from 'vitest'
import { parseAnswer } from '../../../src/adapters/alibaba/answer.ts'
import { okBody, SHAPES, type Reading } from '../../../src/simulator/answers.ts'

const PLAIN: Reading = { passed: 'Y', subCode: '200', family: 'hkid2018', person: 0 }

/** With a RequestId put before it, as the simulator does. */
function bodyOf(changes: Partial<Reading>): { Result: Record<string, unknown> } & Record<string, unknown> {
  return JSON.parse(`{"RequestId":"r",${okBody({ ...PLAIN, ...changes })}`) as never
}

describe('a body', () => {
  test.each(SHAPES)('of the shape %s is JSON, and a verdict can be read from it', (shape) => {
    const { code, requestId, answer } = parseAnswer(bodyOf({ shape }))
    expect([code, requestId, answer?.passed, answer?.subCode]).toEqual(['Success', 'r', 'Y', '200'])
  })

  test('has nothing but texts in its Result, as the vendor has it', () => {
    const { Result: result } = bodyOf({ faceAttack: true })
    expect(Object.values(result).map((value) => typeof value)).toEqual(Array(4).fill('string'))
  })

  test('leaves Passed out when there is no verdict', () => {
    expect(bodyOf({ passed: '' }).Result).not.toHaveProperty('Passed')
  })

  test('is made once and kept', () => {
    expect(okBody({ ...PLAIN })).toBe(okBody({ ...PLAIN }))
  })
})

describe('the document in it', () => {
  test.each(['trailing-comma', 'missing-comma'] as const)('is invalid JSON in the shape %s', (shape) => {
    expect(parseAnswer(bodyOf({ shape })).answer?.document).toBe('unreadable')
  })

  test('is absent in the shape absent', () => {
    expect(parseAnswer(bodyOf({ shape: 'absent' })).answer?.document).toBe('absent')
  })

  test.each(['object', 'newlines', 'doubly-encoded'] as const)(
    'says the same in the shape %s as in the usual one',
    (shape) => {
      expect(parseAnswer(bodyOf({ shape })).answer).toEqual(parseAnswer(bodyOf({})).answer)
    },
  )

  test('says what was found of forgery', () => {
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
