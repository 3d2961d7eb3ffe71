import { describe, expect, test } from 'vitest'
import type { OcrMembers } from '../../../../src/core/calls/answer.ts'
import { toFields } from '../../../../src/core/normalize/fields.ts'
import { nameForms } from '../../../../src/core/normalize/members.ts'
import { days, sampleOf, SAMPLES, saying } from '../../../support/answers.ts'

function fieldsOf(members: Readonly<Record<string, string>>, dayFirst = false): Record<string, unknown> {
  const given = members as OcrMembers
  return saying(toFields(given, { dayFirst, ...nameForms(given) }))
}

describe('camelCase member names', () => {
  test.each(SAMPLES)('camelCase members of $family become typed fields', ({ family, members, fields }) => {
    expect(fieldsOf(members, family === 'HONG_KONG_IDENTITY_CARD')).toEqual(fields)
  })
})

describe('snake_case member names', () => {
  test('a passport has the same fields as with camelCase members', () => {
    const { members, fields } = sampleOf('PASSPORT')
    const snake = {
      surname: members['surname'] ?? '',
      given_names: members['givenname'] ?? '',
      sex: 'M',
      date_of_birth: '1990-02-01',
      passport_number: 'X00000000',
      nationality: 'UTO',
      date_of_expiry: '2031-12-31',
      country_code: 'UTO',
    }
    expect(fieldsOf(snake)).toEqual(fields)
  })

  test('a permit has its Latin name in name if there is also a Chinese name', () => {
    const permit = {
      name: 'CESHI, CESHI',
      name_cn: '测试',
      id_number: 'H00000000',
      date_of_issue: '2013-01-02',
      place_of_issue: 'Testland',
      origin_of_issue: 'Testland Immigration Administration',
      place_of_birth: 'Testland',
    }
    expect(fieldsOf(permit)).toEqual({
      name: '测试',
      englishName: 'CESHI, CESHI',
      idNumber: 'H00000000',
      issueDate: days('2013-01-02'),
      placeOfIssue: 'Testland',
      originOfIssue: 'Testland Immigration Administration',
      placeOfBirth: 'Testland',
    })
  })

  test('a mainland card has its only name in name', () => {
    expect(fieldsOf({ name: '测试', ethnicity: '汉' })).toEqual({ name: '测试', ethnicity: '汉' })
  })

  test("snake_case members yield to the vendor's standardized values and are kept in raw", () => {
    const members = { date_of_birth: '1990年06月02日', sex: '女', date_of_birth_s: '1990-06-02', sex_s: 'F' }
    expect(fieldsOf(members)).toEqual({
      birthDate: days('1990-06-02'),
      sex: 'FEMALE',
      raw: { date_of_birth: '1990年06月02日', sex: '女' },
    })
  })

  test('snake_case members fill in what a masked standardized value leaves open', () => {
    expect(fieldsOf({ date_of_birth: '1990-06-02', date_of_birth_s: '**' })).toEqual({
      birthDate: days('1990-06-02'),
      raw: { birthDate: '**' },
    })
  })
})

test('the member names of the EkycVerify sample are known', () => {
  expect(fieldsOf({ firstName: 'ALPHA', lastName: 'TESTPERSON', dateOfBirth: '1990-02-01' })).toEqual({
    givenname: 'ALPHA',
    surname: 'TESTPERSON',
    birthDate: days('1990-02-01'),
  })
})

describe('raw', () => {
  test("keeps members without a field under the vendor's name", () => {
    const members = { cardEdition: '7', personal_number: '0', constructor: 'c' }
    expect(fieldsOf(members)).toEqual({ raw: members })
  })

  test.each([
    ['expiryDate', '长期'],
    ['birthDate', '01/02/1990'],
    ['issueDate', '23-09-10'],
    ['firstIssueDate', '09-99'],
    ['isPermanent', '是'],
  ])('keeps a value that does not fit its field: %s: %s', (name, text) => {
    expect(fieldsOf({ [name]: text })).toEqual({ raw: { [name]: text } })
  })

  test('keeps the text for sex if it is neither male nor female', () => {
    expect(fieldsOf({ sex: 'X' })).toEqual({ sex: 'UNKNOWN', raw: { sex: 'X' } })
  })

  test("keeps a value under the field's name even if the vendor uses another", () => {
    expect(fieldsOf({ date_of_expiry: '长期' })).toEqual({ raw: { expiryDate: '长期' } })
  })

  test('keeps the day of a first registration given as a full date', () => {
    expect(fieldsOf({ firstIssueDate: '1999-09-23' })).toEqual({
      firstIssueDate: '1999-09',
      raw: { firstIssueDate: '1999-09-23' },
    })
  })

  test('keeps a second text for the same field unless both are equal', () => {
    expect(fieldsOf({ passportNo: 'X00000000', passport_number: 'X00000001' })).toEqual({
      passportNo: 'X00000000',
      raw: { passport_number: 'X00000001' },
    })
    expect(fieldsOf({ passportNo: 'X00000000', passport_number: 'X00000000' })).toEqual({
      passportNo: 'X00000000',
    })
  })
})

test('names and values have a UTF-8 form', () => {
  expect(fieldsOf({ name: 'CESHI\ud800', 'odd\udc00': '\ud800' })).toEqual({
    name: 'CESHI\ufffd',
    raw: { 'odd\ufffd': '\ufffd' },
  })
})

test('two sides with different names agree on the meaning of name', () => {
  const edited = { name: 'CESHI, ALPHA' } as unknown as OcrMembers
  const read = { name: 'CESHI, BETA', name_cn: '测试' } as unknown as OcrMembers
  expect(toFields(edited, { dayFirst: false, ...nameForms(read, edited) }).englishName).toBe('CESHI, ALPHA')
})

describe('fillers of a machine-readable zone', () => {
  test('are trimmed at the end of a field while raw keeps the original text', () => {
    const members = {
      passportNo: 'X0000000<',
      surname: 'TESTPERSON<<ALPHA< <<<',
      sex: 'M<',
      birthDate: '1990-02-01',
    }
    expect(fieldsOf(members)).toEqual({
      passportNo: 'X0000000',
      surname: 'TESTPERSON<<ALPHA',
      sex: 'MALE',
      birthDate: days('1990-02-01'),
      raw: { passportNo: 'X0000000<', surname: 'TESTPERSON<<ALPHA< <<<', sex: 'M<' },
    })
  })

  test('fillers without other characters count as no value', () => {
    expect(fieldsOf({ idNumber: '<<<<<<', expiryDate: '<<<<<<' })).toEqual({
      raw: { idNumber: '<<<<<<', expiryDate: '<<<<<<' },
    })
  })

  test('are kept in members without a field', () => {
    expect(fieldsOf({ mrz_line: 'P<UTOTESTPERSON<<ALPHA<<<<' })).toEqual({
      raw: { mrz_line: 'P<UTOTESTPERSON<<ALPHA<<<<' },
    })
  })
})
