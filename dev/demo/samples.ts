/** A few results in full, of people who do not exist. Pure. */
import type { DocumentFields, VerificationResult } from '../../src/core/schema-types.ts'
import { dateOfDays, inWords } from './format.ts'
import type { Output } from './read-back.ts'

export interface Sample {
  readonly title: string
  readonly lines: readonly string[]
}

const KINDS: readonly (readonly [title: string, transaction: string])[] = [
  ['A Hong Kong identity card that passes', 'passhkid2018x'],
  ['A passport with signs of forgery', 'riskpassport'],
  ['A mainland identity card that fails', 'failmainlandid'],
  ['Corrected by the customer', 'edited'],
  ['Settled at the third call, after two retry topics', 'notyet2'],
  ['A document that cannot be read, with a verdict all the same', 'brokencomma'],
]

export function samplesOf(outputs: readonly Output[]): readonly Sample[] {
  return KINDS.flatMap(([title, transaction]) => {
    const result = outputs.find((output) => output.result?.transactionId.startsWith(transaction))?.result
    return result === undefined || result === null ? [] : [{ title, lines: linesOf(result) }]
  })
}

function linesOf({
  transactionId,
  verdict,
  subCode,
  risk,
  document,
  attempts,
}: VerificationResult): string[] {
  const signs = risk.spoofTypes.length === 0 ? '' : ` (${risk.spoofTypes.map(inWords).join(', ')})`
  const risky = risk.detected === null ? 'unknown' : risk.detected ? `yes${signs}` : 'no'
  const calls = attempts === 1 ? '1 call' : `${attempts} calls`
  return [
    `${transactionId}  ${verdict} ${subCode ?? ''}, risk: ${risky}, ${calls}`,
    ...(document === null
      ? ['no document']
      : [`${inWords(document.family)}: ${shownFields(document.fields).join(' · ')}`]),
    ...(document?.editedFields ? [`changed: ${shownFields(document.editedFields).join(' · ')}`] : []),
  ]
}

/** Those that are there, in the order of the schema. */
function shownFields(fields: DocumentFields | null): string[] {
  return Object.entries(fields ?? {}).flatMap(([name, value]: [string, unknown]) => {
    if (value === null) return []
    if (typeof value === 'object') {
      return Object.entries(value).map(([member, original]) => `raw.${member} ${original}`)
    }
    return [`${name} ${typeof value === 'number' ? dateOfDays(value) : String(value)}`]
  })
}
