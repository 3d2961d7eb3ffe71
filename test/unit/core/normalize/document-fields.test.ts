import { expect, test } from 'vitest'
import { changedFields, emptyFields, FIELD_NAMES } from '../../../../src/core/normalize/document-fields.ts'
import type { DocumentFields } from '../../../../src/core/schema-types.ts'
import { saying } from '../../../support/answers.ts'

function fields(given: Partial<DocumentFields>): DocumentFields {
  return { ...emptyFields(), ...given }
}

test('every field but raw has a name, and says nothing at first', () => {
  expect([...FIELD_NAMES, 'raw'].toSorted()).toEqual(Object.keys(emptyFields()).toSorted())
  expect(saying(emptyFields())).toEqual({})
})

test('only what says something else is a change', () => {
  const read = fields({ name: 'CESHI', sex: 'FEMALE', birthDate: 7_457, isPermanent: true })
  const edited = fields({
    name: 'CESHI',
    sex: 'MALE',
    birthDate: 7_458,
    isPermanent: true,
    idNumber: 'A000000(0)',
  })
  expect(saying(changedFields(edited, read))).toEqual({
    sex: 'MALE',
    birthDate: 7_458,
    idNumber: 'A000000(0)',
  })
})

test('texts of raw are changes by themselves', () => {
  const read = fields({ raw: { expiryDate: '长期', cardEdition: '7' } })
  const edited = fields({ raw: { expiryDate: '长期', cardEdition: '8' } })
  expect(saying(changedFields(edited, read))).toEqual({ raw: { cardEdition: '8' } })
})

test('what is not among the edits is no change', () => {
  expect(changedFields(fields({}), fields({ name: 'CESHI' }))).toBeNull()
  expect(changedFields(fields({ name: 'CESHI' }), fields({ name: 'CESHI' }))).toBeNull()
})

test('everything is a change when nothing was read', () => {
  expect(saying(changedFields(fields({ name: 'CESHI' }), null))).toEqual({ name: 'CESHI' })
  expect(changedFields(fields({}), null)).toBeNull()
})
