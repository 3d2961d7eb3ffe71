import { expect, test } from 'vitest'
import { changedFields, emptyFields, FIELD_NAMES } from '../../../../src/core/normalize/document-fields.ts'
import type { DocumentFields } from '../../../../src/core/records/schema-types.ts'
import { saying } from '../../../support/answers.ts'

function fields(given: Partial<DocumentFields>): DocumentFields {
  return { ...emptyFields(), ...given }
}

test('every field except raw has a name and is initially null', () => {
  expect([...FIELD_NAMES, 'raw'].toSorted()).toEqual(Object.keys(emptyFields()).toSorted())
  expect(saying(emptyFields())).toEqual({})
})

test('only different values count as changed', () => {
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

test('each text in raw counts as changed separately', () => {
  const read = fields({ raw: { expiryDate: '长期', cardEdition: '7' } })
  const edited = fields({ raw: { expiryDate: '长期', cardEdition: '8' } })
  expect(saying(changedFields(edited, read))).toEqual({ raw: { cardEdition: '8' } })
})

test('fields without an edit are not changed', () => {
  expect(changedFields(fields({}), fields({ name: 'CESHI' }))).toBeNull()
  expect(changedFields(fields({ name: 'CESHI' }), fields({ name: 'CESHI' }))).toBeNull()
})

test('everything counts as changed if nothing was read', () => {
  expect(saying(changedFields(fields({ name: 'CESHI' }), null))).toEqual({ name: 'CESHI' })
  expect(changedFields(fields({}), null)).toBeNull()
})
