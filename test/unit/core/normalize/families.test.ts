import { describe, expect, test } from 'vitest'
import type { OcrMembers } from '../../../../src/core/calls/answer.ts'
import { findFamily } from '../../../../src/core/normalize/families.ts'
import type { DocumentFamily } from '../../../../src/core/records/schema-types.ts'
import { SAMPLES, sampleOf } from '../../../support/answers.ts'

function familyOf(members: Readonly<Record<string, string>>): unknown {
  return findFamily(null, members as OcrMembers)
}

function without(
  members: Readonly<Record<string, string>>,
  ...names: readonly string[]
): Record<string, string> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))
}

const NO_FAMILY = { family: 'OTHER', familyFrom: 'NONE' }

describe('a document type code', () => {
  test.each<[string, DocumentFamily]>([
    ['00000001', 'MAINLAND_RESIDENT_IDENTITY_CARD'],
    ['00000006', 'HONG_KONG_IDENTITY_CARD'],
    ['00000008', 'HONG_KONG_IDENTITY_CARD'],
    ['00000007', 'EXIT_ENTRY_PERMIT_HONG_KONG_MACAO'],
    ['00000009', 'MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS'],
    ['00000012', 'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS'],
    ['000000012', 'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS'],
    ['01000000', 'PASSPORT'],
    ['HKG01001', 'HONG_KONG_IDENTITY_CARD'],
    ['HKG01002', 'HONG_KONG_IDENTITY_CARD'],
    ['CHN01001', 'MAINLAND_RESIDENT_IDENTITY_CARD'],
    ['CHN03001', 'PASSPORT'],
    ['CHN05001', 'EXIT_ENTRY_PERMIT_HONG_KONG_MACAO'],
    ['CHN05002', 'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS'],
    ['CHN05003', 'MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS'],
    ['MAC01001', 'MACAO_IDENTITY_CARD'],
    ['MAC01002', 'MACAO_IDENTITY_CARD'],
    ['MAC01003', 'MACAO_IDENTITY_CARD'],
    ['GLB03001', 'PASSPORT'],
    ['GLB03002', 'PASSPORT'],
  ])('the document type %s means %s, whatever the members are', (docType, family) => {
    const members = sampleOf('PASSPORT').members as OcrMembers
    expect(findFamily(docType, null)).toEqual({ family, familyFrom: 'DOC_TYPE' })
    expect(findFamily(docType, members)).toEqual({ family, familyFrom: 'DOC_TYPE' })
  })

  test.each(['HKG02001', 'VNM01001', 'MYS01001', 'CHN06001'])(
    'the document type %s belongs to none of the seven families',
    (docType) => {
      const members = sampleOf('MACAO_IDENTITY_CARD').members as OcrMembers
      expect(findFamily(docType, members)).toEqual({ family: 'OTHER', familyFrom: 'DOC_TYPE' })
    },
  )

  test.each(['00000010', '01560000', '01560001', 'constructor', '__proto__', ''])(
    'the document type %j is ignored, and the members determine the family',
    (docType) => {
      const { members, family } = sampleOf('MACAO_IDENTITY_CARD')
      expect(findFamily(docType, members as OcrMembers)).toEqual({ family, familyFrom: 'FIELDS' })
      expect(findFamily(docType, null)).toEqual(NO_FAMILY)
    },
  )
})

describe('document members without a document type', () => {
  test.each(SAMPLES.filter(({ members }) => !('issueDate' in members)))(
    'identify $family',
    ({ members, family }) => {
      expect(familyOf(members)).toEqual({ family, familyFrom: 'FIELDS' })
    },
  )

  test.each(SAMPLES.filter(({ members }) => 'issueDate' in members))(
    'do not identify $family because other permits have the same members',
    ({ members }) => {
      expect(familyOf(members)).toEqual(NO_FAMILY)
    },
  )

  test('identify a Macao card without a Chinese name by its place of birth', () => {
    const { members, family } = sampleOf('MACAO_IDENTITY_CARD')
    expect(familyOf(without(members, 'surnameCN', 'givennameCN'))).toEqual({ family, familyFrom: 'FIELDS' })
  })

  test('identify a passport that has a place of birth', () => {
    const members = { ...sampleOf('PASSPORT').members, placeOfBirth: 'TESTLAND' }
    expect(familyOf(members)).toEqual({ family: 'PASSPORT', familyFrom: 'FIELDS' })
  })

  test('identify no family in snake_case except a passport by its number', () => {
    expect(familyOf({ name: 'CESHI', id_number: '0', ethnicity: 'x', place_of_birth: 'y' })).toEqual(
      NO_FAMILY,
    )
    expect(familyOf({ passport_number: 'X00000000', place_of_birth: 'y' })).toEqual({
      family: 'PASSPORT',
      familyFrom: 'FIELDS',
    })
  })

  test('are looked up as own properties only', () => {
    expect(familyOf({ name: 'CESHI' })).toEqual(NO_FAMILY)
    expect(familyOf({})).toEqual(NO_FAMILY)
    expect(findFamily(null, null)).toEqual(NO_FAMILY)
  })
})
