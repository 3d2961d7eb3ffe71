import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAnswer } from '../../../../src/adapters/alibaba/answer.ts'
import { createEncodeResult } from '../../../../src/adapters/registry/encode-result.ts'
import { schemaType } from '../../../../src/adapters/registry/schemas.ts'
import type { FinalAnswer, OcrMembers } from '../../../../src/core/calls/answer.ts'
import { FIELD_NAMES } from '../../../../src/core/normalize/document-fields.ts'
import { normalize, type NormalizeContext } from '../../../../src/core/normalize/normalize.ts'
import { PII_MODES } from '../../../../src/core/normalize/privacy.ts'
import { answerWith, bodyWith, contextOf, SAMPLES } from '../../../support/answers.ts'

const type = schemaType('verification-result')

/** Texts that break encoders: lone surrogates, NUL characters, other scripts, names of object members. */
const texts = fc.oneof(
  fc.string({
    unit: fc.constantFrom(...'aZ0-/年(', ' ', '测', '𠮷', '\ud800', '\udc00', '\u0000'),
    maxLength: 30,
  }),
  fc.constantFrom(
    'constructor',
    'toString',
    'Y',
    'N',
    'M',
    '212',
    '2013-01-02',
    '长期',
    '(09-99)',
    '23-09-10',
  ),
)
const names = fc.oneof(
  fc.constantFrom(...FIELD_NAMES, 'name_cn', 'sex_s', 'constructor', 'given_names'),
  texts,
)
const members = fc
  .dictionary(names, texts, { maxKeys: 12 })
  .map(
    (record) =>
      Object.fromEntries(Object.entries(record).filter(([name]) => name !== '__proto__')) as OcrMembers,
  )
const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values)
const signs = fc.constantFrom(true, false, null)

const answers: fc.Arbitrary<FinalAnswer> = fc.record({
  requestId: maybe(texts),
  passed: fc.constantFrom('Y' as const, 'N' as const),
  subCode: maybe(texts),
  document: fc.oneof(
    fc.constantFrom('absent' as const, 'unreadable' as const),
    fc.record({ ocrPassed: signs, fields: maybe(members), editedFields: maybe(members) }),
  ),
  spoofed: signs,
  spoofTypes: fc.array(texts, { maxLength: 4 }),
  faceAttacked: signs,
  droppedMembers: fc.constant([]),
})

const contexts: fc.Arbitrary<NormalizeContext> = fc.record({
  event: fc.record({
    transactionId: texts,
    merchantBizId: texts,
    productCode: maybe(texts),
    docType: maybe(fc.oneof(texts, fc.constantFrom(...SAMPLES.map(({ docType }) => docType)))),
    completedAt: fc.maxSafeInteger(),
    passed: maybe(texts),
    subCode: maybe(texts),
  }),
  attempts: fc.maxSafeNat(),
  checkedAtMs: fc.maxSafeInteger(),
  source: fc.record({ topic: fc.string(), partition: fc.nat(), offset: fc.bigInt(0n, 2n ** 63n - 1n) }),
  pii: fc.constantFrom(...PII_MODES),
})

function manyOf(text: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`测${i}`.repeat(12), text.repeat(499)]))
}

function finalAnswer(extIdInfo: unknown): FinalAnswer {
  const { answer } = parseAnswer(bodyWith(extIdInfo))
  if (answer === null) throw new Error('no answer')
  return answerWith({ ...answer, passed: 'Y' })
}

describe('any answer', () => {
  test('gives a result that is encoded and decoded without a change', () => {
    fc.assert(
      fc.property(answers, contexts, (answer, context) => {
        const result = normalize(answer, context)
        expect(type.fromBuffer(type.toBuffer(result))).toEqual(result)
      }),
      { numRuns: 500 },
    )
  })

  test('gives an encodable result for any JSON content', () => {
    const parts = fc.constantFrom(
      'ocrIdInfo',
      'ocrIdEditInfo',
      'spoofInfo',
      'ocrIdInfoData',
      'ocrStandardData',
    )
    const values = fc.oneof(members, fc.jsonValue(), texts)
    fc.assert(
      fc.property(fc.dictionary(parts, values), contexts, (extIdInfo, context) => {
        const result = normalize(finalAnswer(JSON.stringify(extIdInfo)), context)
        expect(type.fromBuffer(type.toBuffer(result))).toEqual(result)
      }),
      { numRuns: 300 },
    )
  })

  test('gives a result that is small enough for a broker', () => {
    const answer = finalAnswer({ ocrIdInfo: manyOf('测 '), ocrIdEditInfo: manyOf('试 ') })
    const { length } = createEncodeResult(1)(normalize(answer, contextOf()))
    expect(length).toBeGreaterThan(100_000)
    expect(length).toBeLessThan(500_000)
  })
})
