/**
 * Texts of OCR members to typed values. Pure and total: null where the text is not unambiguous. Only forms with the year
 * first are read for every document; day-month-year only where the family is known to print it so. Never `Date.parse`.
 */
import type { Sex } from '../schema-types.ts'

/** Days since 1970-01-01. */
export type EpochDays = number

const YEAR_FIRST = [
  /^(\d{4})-(\d{1,2})-(\d{1,2})$/,
  /^(\d{4})\/(\d{1,2})\/(\d{1,2})$/,
  /^(\d{4})\.(\d{1,2})\.(\d{1,2})$/,
  /^(\d{4})(\d{2})(\d{2})$/,
  /^(\d{4})年(\d{1,2})月(\d{1,2})日$/,
]
const DAY_FIRST = [
  /^(\d{1,2})-(\d{1,2})-(\d{4})$/,
  /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/,
  /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/,
]
/** A card's date of issue, printed with two digits of the year: 23-09-10. */
const DAY_FIRST_SHORT = /^(\d{2})-(\d{2})-(\d{2})$/
const EARLIEST_YEAR = 1850
const LATEST_YEAR = 2200
const DAY_MS = 86_400_000

export interface DateForms {
  /** Day-month-year is read too: Hong Kong identity cards. */
  readonly dayFirst: boolean
}

export function parseDate(text: string, { dayFirst }: DateForms): EpochDays | null {
  for (const form of YEAR_FIRST) {
    const [, year, month, day] = form.exec(text) ?? []
    if (year !== undefined) return toDays(Number(year), Number(month), Number(day))
  }
  if (!dayFirst) return null
  for (const form of DAY_FIRST) {
    const [, day, month, year] = form.exec(text) ?? []
    if (year !== undefined) return toDays(Number(year), Number(month), Number(day))
  }
  return null
}

/** The dates of issue of a Hong Kong card: the cards in use were issued from 2003 on, so two digits are of this century. */
export function parseIssueDate(text: string, forms: DateForms): EpochDays | null {
  const [, day, month, year] = forms.dayFirst ? (DAY_FIRST_SHORT.exec(text) ?? []) : []
  return year === undefined ? parseDate(text, forms) : toDays(2000 + Number(year), Number(month), Number(day))
}

function toDays(year: number, month: number, day: number): EpochDays | null {
  if (year < EARLIEST_YEAR || year > LATEST_YEAR) return null
  const time = Date.UTC(year, month - 1, day)
  const date = new Date(time)
  // The 30th of February rolls over into March: then it was no date.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? time / DAY_MS : null
}

const MONTH_FORMS = [
  /^(?<year>\d{4})[-/.](?<month>\d{1,2})$/,
  /^(?<year>\d{4})年(?<month>\d{1,2})月$/,
  /^(?<month>\d{1,2})[-/.](?<year>\d{4})$/,
  /^\(?(?<month>\d{2})-(?<short>\d{2})\)?$/,
]
/** Registration began in 1949: a two-digit year above this one is of the last century. */
const LAST_SHORT_YEAR_OF_THIS_CENTURY = 48

/** Month and year of first registration, as YYYY-MM; printed on the card as (09-99). */
export function parseMonth(text: string): string | null {
  for (const form of MONTH_FORMS) {
    const groups = form.exec(text)?.groups
    if (groups === undefined) continue
    const month = Number(groups['month'])
    const year = groups['year'] === undefined ? fullYear(Number(groups['short'])) : Number(groups['year'])
    if (month < 1 || month > 12 || year < EARLIEST_YEAR || year > LATEST_YEAR) return null
    return `${year}-${String(month).padStart(2, '0')}`
  }
  return null
}

function fullYear(short: number): number {
  return short > LAST_SHORT_YEAR_OF_THIS_CENTURY ? 1900 + short : 2000 + short
}

const SEXES: Readonly<Record<string, Sex>> = {
  m: 'MALE',
  male: 'MALE',
  男: 'MALE',
  男m: 'MALE',
  '男/m': 'MALE',
  f: 'FEMALE',
  female: 'FEMALE',
  女: 'FEMALE',
  女f: 'FEMALE',
  '女/f': 'FEMALE',
}

export function parseSex(text: string): Sex {
  const known = text.toLowerCase().replaceAll(' ', '')
  return Object.hasOwn(SEXES, known) ? (SEXES[known] ?? 'UNKNOWN') : 'UNKNOWN'
}

export function parseYesNo(text: string): boolean | null {
  if (text === 'Y' || text === 'y') return true
  return text === 'N' || text === 'n' ? false : null
}
