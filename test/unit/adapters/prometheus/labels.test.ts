import { expect, test } from 'vitest'
import { CODES, OTHER, codeLabel } from '../../../../src/adapters/prometheus/labels.ts'
import { NO_ANSWER } from '../../../../src/core/calls/answer.ts'
import { classify } from '../../../../src/core/calls/classify.ts'

const vendors = CODES.filter((code) => code !== OTHER && !NO_ANSWER.some((failure) => failure === code))

test.each(vendors)('the code %s has a separate label value and is known to the classification', (code) => {
  expect(codeLabel(code)).toBe(code)
  const reply = {
    kind: 'answer',
    status: 400,
    code,
    requestId: null,
    retryAfterMs: null,
    answer: null,
  } as const
  expect(classify(reply)).not.toMatchObject({ reason: 'unknown-code' })
})
