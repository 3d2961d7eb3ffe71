/** Which OCR members of a document are kept, and how dropped ones are reported. */
import { expect, test } from 'vitest'
import { answerTo, documentIn } from '../../../support/answers.ts'

test('an empty text and a placeholder are dropped without a report', () => {
  const nothing = { a: '', b: ' ', c: '?', d: null, e: {}, f: [] }
  const answer = answerTo({ ocrIdInfo: { ...nothing, name: ' CESHI ' } })
  expect(answer).toMatchObject({ document: { fields: { name: 'CESHI' } }, droppedMembers: [] })
})

test('nested texts are kept, and dropped members are reported, by name if the name is known', () => {
  const answer = answerTo({
    ocrIdInfo: {
      name: { value: ' CESHI ', confidence: 0.9 },
      surname: ['TESTPERSON'],
      idNumber: { text: 'A0000000' },
      sex: { value: { deep: 'M' } },
      birthDate: ['1990-01-01', '1990-01-02'],
      address: 'Sample Road '.repeat(100),
      hobbies: { first: 'TEST' },
      portrait: 'aGk'.repeat(50),
    },
  })
  expect(answer.document).toMatchObject({
    fields: { name: 'CESHI', surname: 'TESTPERSON', idNumber: 'A0000000' },
  })
  expect(answer.droppedMembers).toEqual(['sex', 'birthDate', 'address', 'other', 'other'])
})

test('a known member is never dropped in favor of unknown ones, however many come first', () => {
  const unknown = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`member${i}`, 'TEST']))
  const answer = answerTo({ ocrIdInfo: { ...unknown, name: 'CESHI', passport_number: 'X00000000' } })
  expect(answer.document).toMatchObject({ fields: { name: 'CESHI', passport_number: 'X00000000' } })
  expect(answer.droppedMembers).toEqual(Array.from({ length: 16 }, () => 'other'))
})

test('a known member that looks like an image is kept up to 1,000 characters', () => {
  const address = 'A'.repeat(1_000)
  expect(documentIn({ ocrIdInfo: { address } }).fields).toEqual({ address })
})

test('the kept members are limited for any input size', () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`member${i}`, '测 '.repeat(900)]))
  const short = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`member${i}`, '测 '.repeat(400)]))
  expect(documentIn({ ocrIdInfo: many }).fields).toBeNull()
  expect(Object.keys(documentIn({ ocrIdInfo: short }).fields ?? {})).toHaveLength(40)
  const tiny = Object.fromEntries(Object.keys(short).map((name) => [name, 'TEST']))
  expect(Object.keys(documentIn({ ocrIdInfo: tiny }).fields ?? {})).toHaveLength(64)
  expect(documentIn({ ocrIdInfo: { ['n'.repeat(65)]: 'x' } }).fields).toBeNull()
})
