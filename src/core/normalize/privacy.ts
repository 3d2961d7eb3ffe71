/**
 * `RESULT_PII`: what of a person reaches the result topic. `include` leaves all, `omit` leaves no document member at all,
 * `mask` keeps what statistics need: the last two characters of a text, the year of a date of birth.
 */
import type { DocumentFields } from '../schema-types.ts'

export const PII_MODES = ['include', 'mask', 'omit'] as const
export type PiiMode = (typeof PII_MODES)[number]

const SHOWN = 2
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
] as const

export function protect(fields: DocumentFields, mode: PiiMode): DocumentFields | null {
  if (mode === 'include') return fields
  if (mode === 'omit') return null
  const masked = { ...fields, birthDate: yearOnly(fields.birthDate), raw: maskAll(fields.raw) }
  for (const name of MASKED_TEXTS) masked[name] = maskNullable(fields[name])
  return masked
}

/** Stars, and the last two characters of a text that is longer than four. */
export function maskText(text: string): string {
  const characters = [...text]
  const shown = characters.length > SHOWN * 2 ? characters.slice(-SHOWN) : []
  return '*'.repeat(Math.min(characters.length - shown.length, 8)) + shown.join('')
}

function maskNullable(text: string | null): string | null {
  return text === null ? null : maskText(text)
}

function maskAll(raw: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(raw).map(([name, text]) => [name, maskText(text)]))
}

const DAY_MS = 86_400_000

/** The first of January of the year of birth. */
function yearOnly(days: number | null): number | null {
  return days === null ? null : Date.UTC(new Date(days * DAY_MS).getUTCFullYear(), 0, 1) / DAY_MS
}
