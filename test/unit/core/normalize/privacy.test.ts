import { describe, expect, test } from 'vitest'
import { emptyFields } from '../../../../src/core/normalize/document-fields.ts'
import { maskText, protect } from '../../../../src/core/normalize/privacy.ts'
import type { DocumentFields } from '../../../../src/core/records/schema-types.ts'
import { days } from '../../../support/answers.ts'

/** Every field is filled; text values are their field names and show which fields are kept. */
const FILLED: DocumentFields = {
  ...(Object.fromEntries(
    Object.keys(emptyFields()).map((name) => [name, `SECRET ${name} AB`]),
  ) as unknown as DocumentFields),
  sex: 'FEMALE',
  birthDate: days('1990-06-02'),
  issueDate: days('2013-01-02'),
  expiryDate: days('2032-02-10'),
  currentIssueDate: days('2010-09-23'),
  firstIssueDate: '1999-09',
  isPermanent: true,
  raw: { birthDate: 'SECRET 02/06/1990', short: 'ABCDEF' },
}

describe('RESULT_PII=include', () => {
  test('keeps everything', () => {
    expect(protect(FILLED, 'include')).toBe(FILLED)
  })
})

describe('RESULT_PII=omit', () => {
  test('removes all fields', () => {
    expect(protect(FILLED, 'omit')).toBeNull()
  })
})

describe('RESULT_PII=mask', () => {
  test('keeps what statistics need and at most two characters of everything else', () => {
    const masked = protect(FILLED, 'mask')
    const {
      sex,
      nationality,
      countryCode,
      placeOfIssue,
      originOfIssue,
      issueDate,
      expiryDate,
      currentIssueDate,
      firstIssueDate,
      isPermanent,
      birthDate,
      raw,
      ...texts
    } = masked ?? emptyFields()
    expect({ sex, nationality, countryCode, placeOfIssue, originOfIssue, isPermanent }).toEqual({
      sex: 'FEMALE',
      nationality: FILLED.nationality,
      countryCode: FILLED.countryCode,
      placeOfIssue: FILLED.placeOfIssue,
      originOfIssue: FILLED.originOfIssue,
      isPermanent: true,
    })
    expect({ issueDate, expiryDate, currentIssueDate, firstIssueDate }).toEqual({
      issueDate: FILLED.issueDate,
      expiryDate: FILLED.expiryDate,
      currentIssueDate: FILLED.currentIssueDate,
      firstIssueDate: '1999-09',
    })
    expect(birthDate).toBe(days('1990-01-01'))
    expect(raw).toEqual({ birthDate: '********90', short: '******' })
    expect(new Set(Object.values(texts))).toEqual(new Set(['********AB']))
  })

  test('does not modify its input', () => {
    const before = structuredClone(FILLED)
    protect(FILLED, 'mask')
    expect(FILLED).toEqual(before)
  })

  test('leaves missing fields missing', () => {
    expect(protect(emptyFields(), 'mask')).toEqual(emptyFields())
  })

  test('keeps the year of a birth before 1970', () => {
    expect(protect({ ...emptyFields(), birthDate: days('1931-12-31') }, 'mask')?.birthDate).toBe(
      days('1931-01-01'),
    )
  })

  test.each([
    ['', ''],
    ['汉', '*'],
    ['***AZ', '*****'],
    ['ABCDEF', '******'],
    ['ABCDEFG', '*****FG'],
    ['A000000(0)', '********0)'],
    ['TESTPERSON, ALPHA', '********HA'],
    ['虚构省测试市样本路0号', '********0号'],
    ['𠮷𠮷𠮷𠮷𠮷𠮷𠮷', '*****𠮷𠮷'],
  ])('turns %j into %j', (text, masked) => {
    expect(maskText(text)).toBe(masked)
  })
})
