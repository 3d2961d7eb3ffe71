import { describe, expect, test } from 'vitest'
import type { FinalAnswer } from '../../../../src/core/calls/answer.ts'
import { normalize, type NormalizeContext } from '../../../../src/core/normalize/normalize.ts'
import type { Document } from '../../../../src/core/records/schema-types.ts'
import { answerOf, answerWith, contextOf, days, sampleOf, SAMPLES, saying } from '../../../support/answers.ts'

function documentOf(answer: FinalAnswer, given?: Parameters<typeof contextOf>[0]): Document {
  const { document } = normalize(answer, contextOf(given))
  if (document === null) throw new Error('no document')
  return document
}

function riskOf(given: Partial<FinalAnswer>): unknown {
  return normalize(answerWith(given), contextOf()).risk
}

test('a result contains the request, the answer, the times and the source', () => {
  const context = contextOf({ docType: '00000008', attempts: 2 })
  expect(normalize(answerWith({ passed: 'N', subCode: '212' }), context)).toEqual({
    transactionId: context.event.transactionId,
    merchantBizId: context.event.merchantBizId,
    productCode: 'ID_OCR',
    docType: '00000008',
    verdict: 'FAILED',
    subCode: '212',
    risk: { detected: true, spoofTypes: [] },
    document: null,
    requestId: '130A2C10-B9EE-4D84-88E3-5384FF039795',
    checkedAt: 1_790_000_000_500,
    completedAt: 1_790_000_000_000,
    attempts: 2,
    source: { topic: 'verification.completed', partition: 3, offset: 42 },
  })
})

describe('the verdict', () => {
  test.each([
    ['Y', 'PASSED'],
    ['N', 'FAILED'],
  ] as const)('the verdict for Passed %j is %s', (passed, verdict) => {
    expect(normalize(answerWith({ passed }), contextOf()).verdict).toBe(verdict)
  })

  test('comes from Passed even if the SubCode contradicts it', () => {
    expect(normalize(answerWith({ passed: 'Y', subCode: '205' }), contextOf())).toMatchObject({
      verdict: 'PASSED',
      subCode: '205',
    })
  })
})

describe('the risk', () => {
  test.each<[string, Partial<FinalAnswer>]>([
    ['spoofResult is Y', { spoofed: true }],
    ['the SubCode is 212', { subCode: '212' }],
    ['faceAttack is Y', { faceAttacked: true }],
    ['faceAttack is Y on a genuine document', { spoofed: false, faceAttacked: true }],
    ['spoofResult is Y and the rest unreadable', { spoofed: true, document: 'unreadable' }],
  ])('is detected if %s', (_, given) => {
    expect(riskOf(given)).toMatchObject({ detected: true })
  })

  test.each<[string, Partial<FinalAnswer>]>([
    ['spoofResult is N', { spoofed: false }],
    ['spoofResult is N and spoofType is filled', { spoofed: false, spoofTypes: ['SCREEN_REMARK'] }],
    ['faceAttack is N', { faceAttacked: false }],
  ])('is not detected if %s', (_, given) => {
    expect(riskOf(given)).toMatchObject({ detected: false })
  })

  test.each<[string, Partial<FinalAnswer>]>([
    ['there is no risk information', {}],
    ['there is only spoofType', { spoofTypes: ['TAMPER'] }],
    ['the risk information is unreadable', { document: 'unreadable' }],
    ['a part of the risk information is unreadable', { document: 'unreadable', faceAttacked: false }],
  ])('is unknown if %s', (_, given) => {
    expect(riskOf(given)).toMatchObject({ detected: null })
  })

  test('lists each known spoof type once and OTHER for all others', () => {
    const spoofTypes = ['TAMPER', 'PHOTO_COPY', 'TAMPER', 'HOLOGRAM', 'constructor', 'SCREEN_REMARK']
    expect(riskOf({ spoofed: true, spoofTypes })).toEqual({
      detected: true,
      spoofTypes: ['TAMPER', 'PHOTO_COPY', 'OTHER', 'SCREEN_REMARK'],
    })
  })
})

describe('a normalized document', () => {
  test.each(SAMPLES)(
    'a document of $family has its family and typed fields',
    ({ family, docType, members, fields }) => {
      const document = documentOf(answerOf(members), { docType })
      expect(document).toMatchObject({ family, familyFrom: 'DOC_TYPE', ocrPassed: true, editedFields: null })
      expect(saying(document.fields)).toEqual(fields)
    },
  )

  test('is null if the document is absent or unreadable', () => {
    expect(normalize(answerWith({ document: 'absent' }), contextOf()).document).toBeNull()
    expect(normalize(answerWith({ document: 'unreadable' }), contextOf()).document).toBeNull()
  })

  test('has its family even if the document was not recognized', () => {
    expect(documentOf(answerOf(null), { docType: '01000000' })).toEqual({
      family: 'PASSPORT',
      familyFrom: 'DOC_TYPE',
      ocrPassed: true,
      fields: null,
      editedFields: null,
    })
  })

  test('has day-first dates if its members identify a Hong Kong card', () => {
    const { members, fields } = sampleOf('HONG_KONG_IDENTITY_CARD')
    const document = documentOf(answerOf(members))
    expect(document.familyFrom).toBe('FIELDS')
    expect(saying(document.fields)).toEqual(fields)
  })

  test('does not interpret day-first dates of other documents and keeps their texts', () => {
    const members = { ...sampleOf('PASSPORT').members, birthDate: '01-02-1990' }
    expect(documentOf(answerOf(members)).fields).toMatchObject({
      birthDate: null,
      raw: { birthDate: '01-02-1990' },
    })
  })

  test.each(['constructor', '__proto__', 'toString'])('a document of the type %s is OTHER', (docType) => {
    expect(documentOf(answerOf({ name: 'CESHI' }), { docType })).toMatchObject({
      family: 'OTHER',
      familyFrom: 'NONE',
    })
  })
})

describe('edited fields', () => {
  const { members } = sampleOf('HONG_KONG_IDENTITY_CARD')
  const docType = '00000008'

  test('are the members with a different value', () => {
    const edited = { ...members, englishName: 'TESTPERSON, BETA', birthDate: '1990/02/03' }
    expect(saying(documentOf(answerOf(members, edited), { docType }).editedFields)).toEqual({
      englishName: 'TESTPERSON, BETA',
      birthDate: days('1990-02-03'),
    })
  })

  test('are empty if the customer changed nothing or only the notation', () => {
    const edited = { ...members, sex: 'Male', birthDate: '1990-02-01', firstIssueDate: '1999-09' }
    expect(documentOf(answerOf(members, members), { docType }).editedFields).toBeNull()
    expect(documentOf(answerOf(members, edited), { docType }).editedFields).toBeNull()
  })

  test('identify the family if nothing could be read', () => {
    const document = documentOf(answerOf(null, members))
    expect(document).toMatchObject({ family: 'HONG_KONG_IDENTITY_CARD', familyFrom: 'FIELDS', fields: null })
    expect(document.editedFields?.birthDate).toBe(days('1990-02-01'))
  })
})

describe('personal data in a result', () => {
  const answer = answerOf(sampleOf('PASSPORT').members, { passportNo: 'X00000001' })

  test('can be masked', () => {
    const { fields, editedFields } = documentOf(answer, { pii: 'mask' })
    expect(fields).toMatchObject({ surname: '********ON', passportNo: '*******00', sex: 'MALE' })
    expect(saying(editedFields)).toEqual({ passportNo: '*******01' })
  })

  test('can be omitted while the family is kept', () => {
    expect(documentOf(answer, { pii: 'omit' })).toEqual({
      family: 'PASSPORT',
      familyFrom: 'FIELDS',
      ocrPassed: true,
      fields: null,
      editedFields: null,
    })
  })
})

test('numbers outside the range of Avro are clamped', () => {
  const given: Partial<NormalizeContext> = {
    attempts: Number.MAX_SAFE_INTEGER,
    checkedAtMs: -Number.MAX_SAFE_INTEGER,
    source: { topic: 't', partition: 0, offset: 9_999_999_999_999_999_999n },
  }
  expect(normalize(answerWith({}), contextOf(given))).toMatchObject({
    attempts: 2_147_483_647,
    checkedAt: -4_503_599_627_370_496,
    source: { offset: 9_007_199_254_740_990 },
  })
})
