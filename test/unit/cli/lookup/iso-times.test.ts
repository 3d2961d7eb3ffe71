import { expect, test } from 'vitest'
import { schemaJson } from '../../../../src/adapters/registry/schemas.ts'
import { logicalFields, withIsoTimes } from '../../../../src/cli/lookup/iso-times.ts'

const FIELDS = logicalFields(JSON.parse(schemaJson('verification-result')))

test('recognizes dates and times in the result schema by their logical types', () => {
  expect([...FIELDS.date].toSorted()).toEqual(['birthDate', 'currentIssueDate', 'expiryDate', 'issueDate'])
  expect([...FIELDS['timestamp-millis']].toSorted()).toEqual(['checkedAt', 'completedAt'])
})

test('dates and times become ISO text at any depth, and everything else is unchanged', () => {
  const result = {
    checkedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    attempts: 1,
    document: {
      fields: { birthDate: -1, expiryDate: null, sex: 'MALE', raw: { issueDate: '2020年' } },
      editedFields: null,
    },
    risk: { detected: true, spoofTypes: ['TAMPER'] },
  }
  expect(withIsoTimes(result, FIELDS)).toEqual({
    checkedAt: '2026-01-02T03:04:05.006Z',
    attempts: 1,
    document: {
      fields: { birthDate: '1969-12-31', expiryDate: null, sex: 'MALE', raw: { issueDate: '2020年' } },
      editedFields: null,
    },
    risk: { detected: true, spoofTypes: ['TAMPER'] },
  })
})

test('a number outside the range of dates stays a number', () => {
  expect(withIsoTimes({ completedAt: 9e15, birthDate: 2_147_483_647 }, FIELDS)).toEqual({
    completedAt: 9e15,
    birthDate: 2_147_483_647,
  })
})
