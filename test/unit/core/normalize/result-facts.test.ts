import { describe, expect, test } from 'vitest'
import type { FinalAnswer } from '../../../../src/core/calls/answer.ts'
import { normalize } from '../../../../src/core/normalize/normalize.ts'
import { resultFacts, type ResultFacts } from '../../../../src/core/normalize/result-facts.ts'
import { answerOf, answerWith, contextOf, sampleOf } from '../../../support/answers.ts'

function factsOf(answer: Partial<FinalAnswer>, hint: string | null = null): ResultFacts {
  return resultFacts(normalize(answerWith(answer), contextOf()), { passed: hint })
}

test('the facts of a result are the values that metrics count', () => {
  const answer = { ...answerOf(sampleOf('PASSPORT').members), spoofed: true, spoofTypes: ['TAMPER', 'NEW'] }
  expect(resultFacts(normalize(answer, contextOf()), { passed: 'Y' })).toEqual({
    verdict: 'PASSED',
    subCode: '200',
    family: 'PASSPORT',
    risk: 'risky',
    spoofTypes: ['TAMPER', 'OTHER'],
    disagrees: false,
  })
})

test('there is no family without a document', () => {
  expect(factsOf({}).family).toBeNull()
  expect(factsOf({ document: 'unreadable' }).family).toBeNull()
})

describe('the risk fact', () => {
  test.each<[Partial<FinalAnswer>, string]>([
    [{}, 'absent'],
    [{ spoofed: false }, 'clean'],
    [{ faceAttacked: false }, 'clean'],
    [{ spoofed: true }, 'risky'],
    [{ spoofed: false, faceAttacked: true }, 'risky'],
    [{ subCode: '212' }, 'risky'],
  ])('the risk of %j is %s', (answer, risk) => {
    expect(factsOf(answer).risk).toBe(risk)
  })

  test('has no signals if there is no risk', () => {
    expect(factsOf({ spoofed: false, spoofTypes: ['SCREEN_REMARK'] }).spoofTypes).toEqual([])
  })
})

describe('the hint of the event', () => {
  test.each<[string | null, Partial<FinalAnswer>]>([
    ['Y', { passed: 'N', subCode: '212' }],
    ['N', { passed: 'Y', subCode: '200' }],
    // As in the vendor's EkycVerify sample.
    [null, { passed: 'Y', subCode: '205' }],
    [null, { passed: 'N', subCode: '200' }],
  ])('disagrees: hint %j and answer %j', (hint, answer) => {
    expect(factsOf(answer, hint).disagrees).toBe(true)
  })

  test.each<[string | null, Partial<FinalAnswer>]>([
    ['Y', { passed: 'Y', subCode: '200' }],
    ['N', { passed: 'N', subCode: '212' }],
    [null, { passed: 'N', subCode: '212' }],
    [null, { passed: 'Y', subCode: null }],
    ['P', { passed: 'Y', subCode: '200' }],
  ])('does not disagree: hint %j and answer %j', (hint, answer) => {
    expect(factsOf(answer, hint).disagrees).toBe(false)
  })
})
