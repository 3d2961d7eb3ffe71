import { describe, expect, test } from 'vitest'
import { parseAnswer } from '../../../../src/adapters/alibaba/answer.ts'
import { answerTo, bodyWith, documentIn, sampleOf, SAMPLES } from '../../../support/answers.ts'

const HONG_KONG = sampleOf('HONG_KONG_IDENTITY_CARD').members

describe('the response body', () => {
  test('has a code, a request id and a verdict', () => {
    const { code, requestId, answer } = parseAnswer(bodyWith(''))
    expect({ code, requestId }).toEqual({
      code: 'Success',
      requestId: '130A2C10-B9EE-4D84-88E3-5384FF039795',
    })
    expect(answer).toMatchObject({ passed: 'Y', subCode: '200', document: 'absent' })
  })

  test.each(['Success', '200', 'ProcessNotCompleted'])('keeps the code %s as sent', (code) => {
    expect(parseAnswer({ Code: code }).code).toBe(code)
  })

  test('may contain numbers where strings are documented', () => {
    expect(parseAnswer({ Code: 200, Result: { Passed: 'N', SubCode: 212 } })).toMatchObject({
      code: '200',
      answer: { passed: 'N', subCode: '212' },
    })
  })

  test.each([null, undefined, 7, 'text', [], true])(
    'a body of %j has neither a code nor an answer',
    (body) => {
      expect(parseAnswer(body)).toEqual({ code: '', requestId: null, answer: null })
    },
  )

  test('a body without a result has no answer', () => {
    expect(parseAnswer({ Code: 'InternalError', RequestId: 'r' })).toEqual({
      code: 'InternalError',
      requestId: 'r',
      answer: null,
    })
  })

  test.each([
    ['Y', 'Y'],
    [' y\n', 'Y'],
    [true, 'Y'],
    ['true', 'Y'],
    ['N', 'N'],
    ['n', 'N'],
    [false, 'N'],
    ['False', 'N'],
    ['P', 'P'],
    [' p ', 'P'],
    ['', null],
    ['X', null],
    ['constructor', null],
    [1, null],
    [null, null],
    [['Y'], null],
    [{}, null],
  ])('a body with Passed %j has the verdict %j', (given, passed) => {
    expect(answerTo('', { Passed: given }).passed).toBe(passed)
  })

  test('may have its result as JSON in a string, encoded once or twice', () => {
    const { Result, ...rest } = bodyWith(JSON.stringify({ ocrIdInfo: HONG_KONG })) as { Result: unknown }
    const usual = parseAnswer({ ...rest, Result })
    const once = JSON.stringify(Result)
    expect(parseAnswer({ ...rest, Result: `${once}\n` })).toEqual(usual)
    expect(parseAnswer({ ...rest, Result: JSON.stringify(once) })).toEqual(usual)
    expect(usual.answer?.passed).toBe('Y')
  })

  test.each(['{"Passed":"Y"', 'Y', '[]', [], 7, true, ''])('has no answer if its result is %j', (Result) => {
    expect(parseAnswer({ Code: 'Success', Result }).answer).toBeNull()
  })

  test('may have lower-case member names from a gateway', () => {
    const body = { code: 'ActionUnauthorized', message: 'no', requestId: 'r' }
    expect(parseAnswer(body)).toEqual({ code: 'ActionUnauthorized', requestId: 'r', answer: null })
  })
})

describe("the sample from the vendor's documentation", () => {
  const members = {
    originOfIssue: 'National Immigration Administration',
    englishName: 'LI SI',
    sex: 'Male',
    name: 'Bob',
    idNumber: 'H11111112',
    issueDate: '2013-01-02',
    birthDate: '1990-02-21',
  }
  const edited = { ...members, expiryDate: '2026-01-02', name: 'Tom' }
  const sample = {
    ocrIdInfo: { expiryDate: '', ...members },
    ocrIdPassed: 'N',
    spoofInfo: { spoofResult: 'Y', spoofType: ['SCREEN_REMARK'] },
    ocrIdEditInfo: edited,
    idImage: '/9j/'.repeat(5_000),
  }

  test('is read completely, except for its empty expiry date and its image', () => {
    expect(answerTo(JSON.stringify(sample))).toEqual({
      requestId: '130A2C10-B9EE-4D84-88E3-5384FF039795',
      passed: 'Y',
      subCode: '200',
      document: { ocrPassed: false, fields: members, editedFields: edited },
      spoofed: true,
      spoofTypes: ['SCREEN_REMARK'],
      faceAttacked: null,
      droppedMembers: [],
    })
  })

  test('is read identically however often its parts are encoded', () => {
    const parts = {
      ...sample,
      ocrIdInfo: `${JSON.stringify(JSON.stringify(sample.ocrIdInfo))}\n`,
      spoofInfo: JSON.stringify(sample.spoofInfo),
      ocrIdEditInfo: JSON.stringify(sample.ocrIdEditInfo),
    }
    const once = answerTo(JSON.stringify(sample))
    expect(answerTo(sample)).toEqual(once)
    expect(answerTo(`${JSON.stringify(sample)}\n\n`)).toEqual(once)
    expect(answerTo(JSON.stringify(JSON.stringify(sample)))).toEqual(once)
    expect(answerTo(JSON.stringify(parts))).toEqual(once)
    expect(answerTo(parts)).toEqual(once)
  })
})

describe('a part with invalid JSON', () => {
  test.each([
    ['ends in a comma', '{"ocrIdInfo":{"name":"CESHI"},"spoofInfo":{"spoofResult":"Y",}}'],
    ['lacks a comma', '{"idFaceQualityScore": 98.0"ocrIdInfo":{"name":"CESHI"}}'],
    ['is cut off', '{"ocrIdInfo":{"name":"CES'],
    ['is a list', '["CESHI"]'],
    ['is a number', '7'],
    ['is encoded three times', JSON.stringify(JSON.stringify(JSON.stringify({ ocrIdInfo: HONG_KONG })))],
    ['is HTML', '<html></html>'],
  ])('makes the document unreadable and is not repaired if it %s', (_, extIdInfo) => {
    expect(answerTo(extIdInfo)).toMatchObject({ passed: 'Y', document: 'unreadable', spoofed: null })
  })

  test.each(['ocrIdInfo', 'ocrIdEditInfo', 'spoofInfo', 'ocrIdBackInfo', 'ocrIdInfoData', 'ocrStandardData'])(
    'makes the document unreadable if it is %s',
    (name) => {
      expect(answerTo({ ocrIdInfo: HONG_KONG, [name]: '{"name":"CESHI",}' }).document).toBe('unreadable')
    },
  )

  test('makes the document unreadable if it is one of its sides', () => {
    expect(answerTo({ ocrIdInfoData: { '01': '{,}' } }).document).toBe('unreadable')
  })

  test('makes the document unreadable if it is extFaceInfo', () => {
    const answer = answerTo({ ocrIdInfo: HONG_KONG }, { ExtFaceInfo: '{"faceAttack":"Y",}' })
    expect(answer).toMatchObject({ document: 'unreadable', faceAttacked: null })
  })

  test('keeps the risk information that can be read', () => {
    const answer = answerTo({ ocrIdInfo: '{,}', spoofInfo: { spoofResult: 'Y', spoofType: 'TAMPER' } })
    expect(answer).toMatchObject({ document: 'unreadable', spoofed: true, spoofTypes: ['TAMPER'] })
  })
})

describe('a document in an answer', () => {
  test.each([undefined, null, '', ' \n', '**', '{}', '""', 'null', {}])(
    'is absent if it is %j',
    (extIdInfo) => {
      expect(answerTo(extIdInfo).document).toBe('absent')
    },
  )

  test('has no fields if recognition failed', () => {
    expect(documentIn({ ocrIdPassed: 'N', ocrIdInfo: '' })).toEqual({
      ocrPassed: false,
      fields: null,
      editedFields: null,
    })
  })

  test.each(SAMPLES)('a document of $family keeps its members', ({ members }) => {
    expect(documentIn(JSON.stringify({ ocrIdInfo: members })).fields).toEqual(members)
  })

  test('keeps numbers and booleans as strings', () => {
    expect(documentIn({ ocrIdInfo: { idNumber: 0, isPermanent: true } }).fields).toEqual({
      idNumber: '0',
      isPermanent: 'true',
    })
  })

  test('drops images under any name, and links to them', () => {
    const images = {
      portrait: 'aGk'.repeat(50),
      lines: `${'aGk='.repeat(19)}\r\n`.repeat(4),
      inline: `data:image/png;base64,${'A'.repeat(200)}`,
      link: `https://images.example/${'a'.repeat(150)}?Signature=x`,
      large: 'A'.repeat(100_000),
    }
    expect(documentIn({ ocrIdInfo: { ...images, name: 'CESHI' } }).fields).toEqual({ name: 'CESHI' })
  })

  test('keeps a long postal address', () => {
    const address = `${'Sample Road 0, '.repeat(20)}Testland`
    expect(documentIn({ ocrIdInfo: { address } }).fields).toEqual({ address })
  })

  test('may have members with the names of built-in object properties', () => {
    const info = '{"__proto__":"x","constructor":"c","toString":"t","name":"CESHI"}'
    const { fields } = documentIn(`{"ocrIdInfo":${info}}`)
    expect(Object.entries(fields ?? {})).toEqual([
      ['constructor', 'c'],
      ['toString', 't'],
      ['name', 'CESHI'],
    ])
    expect(documentIn('{"ocrIdInfo":{"constructor":"c"}}').fields).toEqual({ constructor: 'c' })
  })
})

function spoofOf(spoofResult: string, spoofType: string): unknown {
  return { spoofInfo: { spoofResult, spoofType } }
}

describe('a document with several sides', () => {
  test('has the members of its back in place of those of its front', () => {
    const document = documentIn({
      ocrIdInfo: { name: 'CESHI', address: 'Front Road' },
      ocrIdBackInfo: { address: 'Back Road', expiryDate: '2030-01-01' },
    })
    expect(document.fields).toEqual({ name: 'CESHI', address: 'Back Road', expiryDate: '2030-01-01' })
  })

  test.each([
    ['in the side’s ocrIdInfo', { ocrIdInfo: { passport_number: 'X00000000', surname: 'TESTPERSON' } }],
    ['encoded there', { ocrIdInfo: '{"passport_number":"X00000000","surname":"TESTPERSON"}' }],
    [
      'right in the side',
      { passport_number: 'X00000000', surname: 'TESTPERSON', idImage: 'A'.repeat(9_999) },
    ],
  ])('has the members of each side %s', (_, side) => {
    const sides = { '01': side, '02': JSON.stringify({ ocrIdInfo: { address: 'Sample Road' } }) }
    expect(documentIn({ ocrIdInfo: { surname: 'OLD', name: 'CESHI' }, ocrIdInfoData: sides }).fields).toEqual(
      {
        name: 'CESHI',
        surname: 'TESTPERSON',
        passport_number: 'X00000000',
        address: 'Sample Road',
      },
    )
  })

  test('never replaces a text with an empty one', () => {
    const document = documentIn({ ocrIdInfo: { name: 'CESHI' }, ocrIdInfoData: { '01': { name: '' } } })
    expect(document.fields).toEqual({ name: 'CESHI' })
  })

  test('is forged if one side is', () => {
    const answer = answerTo({ ocrIdInfoData: { '01': spoofOf('Y', 'TAMPER'), '02': spoofOf('N', '') } })
    expect(answer).toMatchObject({ spoofed: true, spoofTypes: ['TAMPER'] })
  })

  test("has its edits, and the vendor's standardized values beside the recognized ones", () => {
    const document = documentIn({
      ocrIdInfo: { sex: '女' },
      ocrStandardData: { sex_s: 'F' },
      ocrIdInfoData: { '01': { ocrIdInfo: {}, ocrIdEditInfo: { name: 'CESHI' } } },
    })
    expect(document).toMatchObject({ fields: { sex: '女', sex_s: 'F' }, editedFields: { name: 'CESHI' } })
  })
})

describe('the risk in an answer', () => {
  test.each([
    ['Y', true],
    ['N', false],
    ['', null],
    ['U', null],
    [undefined, null],
  ])('the spoof result for spoofResult %j is %j', (spoofResult, spoofed) => {
    expect(answerTo({ spoofInfo: { spoofResult, spoofType: ['TAMPER'] } }).spoofed).toBe(spoofed)
  })

  test.each([
    [
      ['SCREEN_REMARK', 'PHOTO_COPY'],
      ['SCREEN_REMARK', 'PHOTO_COPY'],
    ],
    ['SCREEN_REMARK', ['SCREEN_REMARK']],
    ['SCREEN_REMARK, TAMPER', ['SCREEN_REMARK', 'TAMPER']],
    ['["SCREEN_REMARK","TAMPER"]', ['SCREEN_REMARK', 'TAMPER']],
    [['TAMPER', 7, null, ''], ['TAMPER']],
    ['', []],
    [undefined, []],
    [{ TAMPER: 'Y' }, []],
  ])('has the spoof types of %j', (spoofType, spoofTypes) => {
    expect(answerTo({ spoofInfo: { spoofResult: 'N', spoofType } }).spoofTypes).toEqual(spoofTypes)
  })

  test.each([
    [{ faceAttack: 'Y', faceComparisonScore: 99.1 }, true],
    ['{"faceAttack":"N","faceImg":"AAAA"}\n', false],
    [{ FaceAttack: 'Y' }, true],
    [{ facePassed: 'Y' }, null],
    ['**', null],
    [undefined, null],
  ])('the face attack result for %j is %j', (extFaceInfo, attacked) => {
    expect(answerTo('', { ExtFaceInfo: extFaceInfo }).faceAttacked).toBe(attacked)
  })
})
