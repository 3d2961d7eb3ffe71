/**
 * `RESULT_PII`: how much personal data results contain. `include` keeps everything, `omit` removes all fields. `mask`
 * keeps what statistics need: sex, nationality, place and dates of issue and expiry, and the year of birth (as January
 * 1). Of long names, numbers, addresses and `raw` texts it keeps the last two characters.
 */
import type { DocumentFields } from '../records/schema-types.ts'
import type { FieldName } from './document-fields.ts'

export const PII_MODES = ['include', 'mask', 'omit'] as const
export type PiiMode = (typeof PII_MODES)[number]

const SHOWN = 2
/** In a shorter text, two characters would reveal too much. */
const MIN_LENGTH = 7
/** The length of a long text would reveal something too. */
const MAX_STARS = 8
const MASKED_TEXTS = [
  'name',
  'englishName',
  'surname',
  'givenname',
  'surnameCN',
  'givennameCN',
  'nameCode',
  'idNumber',
  'passportNo',
  'ethnicity',
  'address',
  'placeOfBirth',
  'symbols',
] as const satisfies readonly FieldName[]

export function protect(fields: DocumentFields, mode: PiiMode): DocumentFields | null {
  if (mode === 'include') return fields
  if (mode === 'omit') return null
  const masked = { ...fields, birthDate: yearOnly(fields.birthDate), raw: maskAll(fields.raw) }
  for (const name of MASKED_TEXTS) masked[name] = maskNullable(fields[name])
  return masked
}

/** Replaces a text by asterisks, except for the last two characters of texts that are long enough. */
export function maskText(text: string): string {
  const characters = Array.from(text)
  const shown = characters.length >= MIN_LENGTH ? characters.slice(-SHOWN) : []
  return '*'.repeat(Math.min(characters.length - shown.length, MAX_STARS)) + shown.join('')
}

function maskNullable(text: string | null): string | null {
  return text === null ? null : maskText(text)
}

function maskAll(raw: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(raw).map(([name, text]) => [name, maskText(text)]))
}

const DAY_MS = 86_400_000

/** January 1 of the year of birth. */
function yearOnly(days: number | null): number | null {
  return days === null ? null : Date.UTC(new Date(days * DAY_MS).getUTCFullYear(), 0, 1) / DAY_MS
}
