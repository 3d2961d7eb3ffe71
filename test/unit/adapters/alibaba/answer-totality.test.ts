import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAnswer } from '../../../../src/adapters/alibaba/answer.ts'
import type { CheckAnswer } from '../../../../src/core/calls/answer.ts'
import { bodyWith, SAMPLES } from '../../../support/answers.ts'

const bodies = fc.constantFrom(
  ...SAMPLES.map(({ members }) =>
    bodyWith(
      JSON.stringify({
        ocrIdInfo: members,
        ocrIdInfoData: { '01': { ocrIdInfo: members } },
        spoofInfo: { spoofResult: 'N', spoofType: ['TAMPER'] },
      }),
      { ExtFaceInfo: { faceAttack: 'N' } },
    ),
  ),
)
const signs = fc.constantFrom(...'"\\{}[],:0 \n', 'é', '测', '\u0000', '\ud800', '\udc00')

function extIdInfoOf(body: unknown): string {
  return (body as { Result: { ExtIdInfo: string } }).Result.ExtIdInfo
}

/** The JSON with `value` in every member with the name `memberName`. */
function withValue(json: string, memberName: string, value: unknown): unknown {
  return JSON.parse(json, (name, old: unknown) => (name === memberName ? value : old))
}

function passedOf(body: unknown): CheckAnswer['passed'] | undefined {
  return parseAnswer(body).answer?.passed
}

describe('parsing an answer', () => {
  test('does not throw for any value in any member of the body', () => {
    const memberNames = fc.constantFrom(
      'RequestId',
      'Code',
      'SubCode',
      'ExtIdInfo',
      'ExtFaceInfo',
      'faceAttack',
    )
    fc.assert(
      fc.property(bodies, memberNames, fc.jsonValue(), (body, memberName, value) => {
        expect(passedOf(withValue(JSON.stringify(body), memberName, value))).toBe('Y')
      }),
      { numRuns: 300 },
    )
  })

  test('does not throw for any value in any member of the document', () => {
    const memberNames = fc.constantFrom(
      'ocrIdInfo',
      'name',
      'sex',
      'ocrIdInfoData',
      '01',
      'spoofInfo',
      'spoofType',
    )
    fc.assert(
      fc.property(bodies, memberNames, fc.jsonValue(), (body, memberName, value) => {
        const document = withValue(extIdInfoOf(body), memberName, value)
        expect(passedOf(bodyWith(document))).toBe('Y')
        expect(parseAnswer(bodyWith(JSON.stringify(document)))).toEqual(parseAnswer(bodyWith(document)))
      }),
      { numRuns: 300 },
    )
  })

  test('does not throw for any text inserted into the document', () => {
    const edits = fc.record({ at: fc.nat(), length: fc.nat(20), text: fc.string({ unit: signs }) })
    fc.assert(
      fc.property(bodies, edits, (body, { at, length, text }) => {
        const json = extIdInfoOf(body)
        const start = at % json.length
        expect(passedOf(bodyWith(json.slice(0, start) + text + json.slice(start + length)))).toBe('Y')
      }),
      { numRuns: 500 },
    )
  })

  test('does not throw for any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(typeof parseAnswer(body).code).toBe('string')
      }),
    )
  })

  test('does not throw for any nesting depth', () => {
    expect(parseAnswer(bodyWith('['.repeat(200_000))).answer?.document).toBe('unreadable')
    const members = `{"name":${'['.repeat(50_000)}${']'.repeat(50_000)},"surname":"TESTPERSON"}`
    expect(passedOf(bodyWith(`{"ocrIdInfo":${members}}`))).toBe('Y')
  })
})
