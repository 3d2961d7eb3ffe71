import { expect, test } from 'vitest'
import { createEncodeResult } from '../../../../src/adapters/registry/encode-result.ts'
import { schemaType } from '../../../../src/adapters/registry/schemas.ts'
import { emptyFields } from '../../../../src/core/normalize/document-fields.ts'
import type { VerificationResult } from '../../../../src/core/records/schema-types.ts'

const type = schemaType('verification-result')

function result(address: string): VerificationResult {
  return {
    transactionId: 'hkstest1',
    merchantBizId: 'biz1',
    productCode: null,
    docType: '00000001',
    verdict: 'PASSED',
    subCode: '200',
    risk: { detected: false, spoofTypes: ['TAMPER'] },
    document: {
      family: 'MAINLAND_RESIDENT_IDENTITY_CARD',
      familyFrom: 'DOC_TYPE',
      ocrPassed: true,
      fields: { ...emptyFields(), address, raw: { more: 'text' } },
      editedFields: null,
    },
    requestId: 'r',
    checkedAt: 2,
    completedAt: 1,
    attempts: 1,
    source: { topic: 'in', partition: 0, offset: 5 },
  }
}

test('a result starts with a zero byte and the id of its schema', () => {
  expect(createEncodeResult(0x01020304)(result('x')).subarray(0, 5)).toEqual(Buffer.from([0, 1, 2, 3, 4]))
})

// Around the size of the scratch buffer, where the encoder switches to another method.
test.each([0, 1, 65_000, 65_300, 65_400, 65_536, 70_000, 300_000])(
  'a result with a text of %i characters is decoded unchanged',
  (length) => {
    const bytes = createEncodeResult(7)(result('x'.repeat(length)))
    expect(type.fromBuffer(bytes.subarray(5))).toEqual(result('x'.repeat(length)))
    expect(bytes.readInt32BE(1)).toBe(7)
  },
)

test('no byte is lost for lengths at the limit of the scratch buffer', () => {
  const encode = createEncodeResult(7)
  for (let length = 65_300; length < 65_540; length += 1) {
    const bytes = encode(result('x'.repeat(length)))
    expect(bytes.length).toBe(5 + type.toBuffer(result('x'.repeat(length))).length)
  }
})

test('a result keeps its bytes when the next one is encoded', () => {
  const encode = createEncodeResult(7)
  const first = encode(result('first'))
  const copy = Buffer.from(first)
  encode(result('another'))
  expect(first).toEqual(copy)
})
