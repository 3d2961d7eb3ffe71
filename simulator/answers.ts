/**
 * Bodies of successful answers, in every shape that the vendor's samples have. Each is rendered once and cached.
 */
import { personOf, SAMPLE_DOCUMENTS, snakeCasePassport, standardOf, type Person } from './documents.ts'

export const SHAPES = [
  'usual',
  'object',
  'doubly-encoded',
  'newlines',
  'trailing-comma',
  'missing-comma',
  'snake-case',
  'edited',
  'unknown-members',
  'masked',
  'odd-dates',
  'pages',
  'standard',
  'blank',
  'absent',
] as const
export type Shape = (typeof SHAPES)[number]

export interface Reading {
  readonly passed: string
  readonly subCode: string
  readonly family: string
  readonly person: number
  readonly code?: string
  readonly shape?: Shape
  readonly spoofed?: boolean
  readonly spoofTypes?: readonly string[]
  readonly faceAttack?: boolean
  /** Adds results of newer checks, whose members this service does not know. */
  readonly extras?: boolean
}

const kept = new Map<string, string>()

/** The body without its RequestId: the text after `{"RequestId":"…",`. */
export function okBody(reading: Reading): string {
  const key = JSON.stringify(reading)
  const body = kept.get(key) ?? render(reading)
  kept.set(key, body)
  return body
}

function render(reading: Reading): string {
  const { passed, subCode, code = 'Success', faceAttack, extras = false } = reading
  const result: Record<string, unknown> = { SubCode: subCode }
  if (passed !== '') result['Passed'] = passed
  const extIdInfo = extIdInfoOf(reading)
  if (extIdInfo !== undefined) result['ExtIdInfo'] = extIdInfo
  if (faceAttack !== undefined) {
    result['ExtFaceInfo'] = JSON.stringify({ faceAttack: faceAttack ? 'Y' : 'N', faceComparisonScore: 12.5 })
  }
  if (extras) Object.assign(result, EXTRAS)
  return JSON.stringify({ Code: code, Message: 'success', Result: result }).slice(1)
}

const EXTRAS = {
  ExtSourceInfo: '{"govId":1.0,"fullName":0.4,"selfiePhoto":0.9}',
  ExtBasicInfo: '**',
  EkycResult: '',
  ExtNobodyKnows: { nested: ['TEST'] },
}

function extIdInfoOf(reading: Reading): unknown {
  const document = documentOf(reading)
  switch (reading.shape) {
    case 'absent':
      return undefined
    case 'object':
      return document
    case 'newlines':
      return `${JSON.stringify(document)}\n\n`
    case 'doubly-encoded':
      return JSON.stringify({
        ...document,
        ocrIdInfo: JSON.stringify(JSON.stringify(document.ocrIdInfo)),
        spoofInfo: JSON.stringify(document.spoofInfo),
      })
    case 'pages':
      return JSON.stringify({
        ...document,
        ocrIdInfo: '',
        ocrIdInfoData: JSON.stringify({ front: document.ocrIdInfo, back: { page_note: 'TEST' } }),
      })
    case 'standard':
      return JSON.stringify({ ...document, ocrStandardData: standardOf(personOf(reading.person)) })
    case 'blank':
      return JSON.stringify({ ...document, ocrIdInfo: '' })
    case 'trailing-comma':
      return '{"ocrIdInfo":{"name":"TESTPERSON"},"ocrIdPassed":"Y","spoofInfo":{"spoofResult":"Y",}}'
    case 'missing-comma':
      return '{"ocrIdInfo":{"name":"TESTPERSON"},"idFaceQualityScore":98.0"ocrIdPassed":"Y"}'
    default:
      return JSON.stringify(document)
  }
}

interface Document {
  readonly ocrIdInfo: Readonly<Record<string, string>>
  readonly ocrIdEditInfo?: Readonly<Record<string, string>>
  readonly ocrIdPassed: string
  readonly spoofInfo: { readonly spoofResult: string; readonly spoofType: readonly string[] }
}

function documentOf(reading: Reading): Document {
  const { passed, spoofed = false, spoofTypes = spoofed ? ['PHOTO_COPY'] : [] } = reading
  const members = membersOf(reading, personOf(reading.person))
  return {
    ocrIdInfo: members,
    ...(reading.shape === 'edited'
      ? { ocrIdEditInfo: { ...members, englishName: 'TESTPERSON, CORRECTED' } }
      : {}),
    ocrIdPassed: passed === 'Y' ? 'Y' : 'N',
    spoofInfo: { spoofResult: spoofed ? 'Y' : 'N', spoofType: spoofTypes },
  }
}

function membersOf({ family, shape }: Reading, person: Person): Readonly<Record<string, string>> {
  if (shape === 'snake-case' || shape === 'pages') return snakeCasePassport(person)
  const members = SAMPLE_DOCUMENTS.find((sample) => sample.family === family)?.members(person) ?? {}
  if (shape === 'unknown-members') return { ...members, favoriteColor: 'TEST', cardEdition: '7' }
  if (shape === 'odd-dates')
    return { ...members, birthDate: '2/3/1990', issueDate: '2.3.2013', expiryDate: '02/03/32' }
  if (shape === 'masked') return { ...members, name: '**', englishName: 'T*** A***' }
  return members
}
