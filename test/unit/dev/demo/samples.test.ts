import { expect, test } from 'vitest'
import { outcomeOf } from '../../../../dev/demo/outcome.ts'
import type { Output } from '../../../../dev/demo/read-back.ts'
import { samplesOf } from '../../../../dev/demo/samples.ts'
import type { VerificationResult } from '../../../../src/core/records/schema-types.ts'

function outputOf(transactionId: string, result: Partial<VerificationResult>): Output {
  const source = { topic: 'input', partition: 0, offset: 0 }
  const whole: VerificationResult = {
    transactionId,
    merchantBizId: 'biz1',
    productCode: null,
    docType: null,
    verdict: 'PASSED',
    subCode: '200',
    risk: { detected: null, spoofTypes: [] },
    document: null,
    requestId: null,
    checkedAt: 0,
    completedAt: 0,
    attempts: 1,
    source,
    ...result,
  }
  return {
    outcome: outcomeOf(whole),
    source: { ...source, offset: 0n },
    timestampMs: 0,
    value: null,
    result: whole,
  }
}

test('a sample shows verdict, risk and calls, and omits kinds without outputs', () => {
  const outputs = [
    outputOf('passtaiwanpermitx1', {}),
    outputOf('riskpassportx2', {
      verdict: 'FAILED',
      subCode: '212',
      risk: { detected: true, spoofTypes: ['PHOTO_COPY'] },
    }),
    outputOf('notyet2x3', { attempts: 3 }),
  ]
  expect(samplesOf(outputs).map(({ lines }) => lines)).toEqual([
    ['riskpassportx2: FAILED, 212, risky PHOTO_COPY, 1 call', 'no document'],
    ['notyet2x3: PASSED, 200, risk unknown, 3 calls', 'no document'],
  ])
})
