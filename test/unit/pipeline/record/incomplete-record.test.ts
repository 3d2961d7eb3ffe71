import { describe, expect, test } from 'vitest'
import { inputRecord } from '../../../support/fakes.ts'
import { headerText } from '../../../support/headers.ts'
import { outcomeOf, processing } from '../../../support/processing.ts'

const SHA256 = 'a'.repeat(64)

async function deadLetterOf(changes: Parameters<typeof inputRecord>[1]) {
  const { run, result, calls } = processing([])
  await run(inputRecord(9, changes))
  const headers = result()?.outputs[0]?.headers ?? []
  return {
    outcome: outcomeOf(result()),
    calls: calls.length,
    code: headerText(headers, 'checkresult-code'),
    message: headerText(headers, '__connect.errors.exception.message'),
    text: (name: string) => headerText(headers, name),
  }
}

describe('an incomplete record', () => {
  test('becomes a dead letter without a call if its value is too large, and the headers describe the value', async () => {
    const leftOut = [{ field: 'value', bytes: 209_715_200, sha256: SHA256 }] as const
    const deadLetter = await deadLetterOf({ value: null, leftOut })
    expect([deadLetter.outcome, deadLetter.calls, deadLetter.code]).toEqual([
      [['dead'], 'dead-letter'],
      0,
      'value-too-large',
    ])
    expect(deadLetter.message).toContain("The record's value (209,715,200 bytes) is too large")
    expect(deadLetter.text('checkresult-left-out-value')).toBe(`209715200 bytes, sha256 ${SHA256}`)
  })

  test.each(['key', 'headers'] as const)(
    'becomes a dead letter without a call if its %s is too large',
    async (field) => {
      const deadLetter = await deadLetterOf({ leftOut: [{ field, bytes: 2_000_000, sha256: SHA256 }] })
      expect([deadLetter.calls, deadLetter.code]).toEqual([0, 'record-too-large'])
    },
  )

  test('becomes a dead letter without a call if its batch is damaged, and the message names all offsets that it stands for', async () => {
    const deadLetter = await deadLetterOf({ value: null, unreadableFrom: 5n })
    expect([deadLetter.calls, deadLetter.code]).toEqual([0, 'damaged-batch'])
    expect(deadLetter.message).toContain('offsets 5 to 9 cannot be read')
    expect((await deadLetterOf({ value: null, unreadableFrom: 9n })).message).toContain(
      'offset 9 cannot be read',
    )
  })
})
