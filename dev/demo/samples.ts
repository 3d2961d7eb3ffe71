/** Prints a few results in full. Their people do not exist. Pure. */
import type { DocumentFields, Risk, VerificationResult } from '../../src/core/records/schema-types.ts'
import { dateOfDays, wrapped } from './format.ts'
import { FAMILY_NAMES } from './outcome.ts'
import type { Output } from './read-back.ts'

export interface Sample {
  readonly title: string
  readonly lines: readonly string[]
}

const WIDTH = 90

const KINDS: readonly (readonly [title: string, transaction: string])[] = [
  ['A Hong Kong identity card that passes', 'passhkid2018x'],
  ['A passport with signs of forgery', 'riskpassport'],
  ['A mainland identity card that fails', 'failmainlandid'],
  ['Corrected by the customer', 'edited'],
  ['Final at the third call, after two retry topics', 'notyet2'],
  ['A document that cannot be read, but with a verdict', 'brokencomma'],
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
  const calls = attempts === 1 ? '1 call' : `${attempts} calls`
  return [
    `${transactionId}: ${[verdict, subCode ?? 'no sub-code', inWords(risk), calls].join(', ')}`,
    ...(document === null
      ? ['no document']
      : [FAMILY_NAMES[document.family], ...shownFields(document.fields)]),
    ...(document?.editedFields ? ['changed:', ...shownFields(document.editedFields)] : []),
  ]
}

function inWords({ detected, spoofTypes }: Risk): string {
  if (detected === null) return 'risk unknown'
  return detected ? ['risky', ...spoofTypes].join(' ') : 'not risky'
}

/** The fields that are present, in schema order. */
function shownFields(fields: DocumentFields | null): readonly string[] {
  if (fields === null) return []
  const { raw, ...typed } = fields
  const shown = Object.entries(typed).flatMap(([name, value]) => {
    if (value === null) return []
    return [`${name} ${typeof value === 'number' ? dateOfDays(value) : value}`]
  })
  const unread = Object.entries(raw).map(([name, value]) => `raw.${name} ${value}`)
  return wrapped([...shown, ...unread], ' · ', WIDTH).map((line) => `  ${line}`)
}
