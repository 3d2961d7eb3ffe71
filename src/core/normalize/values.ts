/**
 * Parses texts of OCR members. Pure and total: null if a text is ambiguous. Dates with the year first are read for
 * every document, day-month-year only for families that print it that way. Does not use `Date.parse`, which guesses.
 */
import type { Sex } from '../records/schema-types.ts'

/** Days since 1970-01-01. */
export type EpochDays = number

export interface DateForms {
  /** Also reads day-month-year, and month-year with a two-digit year: Hong Kong identity cards. */
  readonly dayFirst: boolean
}

const YEAR_FIRST = [
  /^(\d{4})-(\d{1,2})-(\d{1,2})$/,
  /^(\d{4})(\d{2})(\d{2})$/,
  /^(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日$/,
  /^(\d{4})\/(\d{1,2})\/(\d{1,2})$/,
  /^(\d{4})\.(\d{1,2})\.(\d{1,2})$/,
]
const DAY_FIRST = [
  /^(\d{1,2})-(\d{1,2})-(\d{4})$/,
  /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/,
  /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/,
]
/** A card's date of issue is printed with a two-digit year: 23-09-10. */
const DAY_FIRST_SHORT = /^(\d{2})-(\d{2})-(\d{2})$/
/** The cards now in use were issued from 2003 on. */
const FIRST_SHORT_YEAR_OF_ISSUE = 3
/** Registration began in 1949, so a two-digit year above this one belongs to the last century. */
const LAST_SHORT_YEAR_OF_THIS_CENTURY = 48
const EARLIEST_YEAR = 1850
const LATEST_YEAR = 2200
const DAY_MS = 86_400_000
const MONTHS = 12
/** Every month has at least this many days. */
const DAYS_OF_A_MONTH = 28

export function parseDate(text: string, { dayFirst }: DateForms): EpochDays | null {
  for (const form of YEAR_FIRST) {
    const match = form.exec(text)
    if (match !== null) return toDays(Number(match[1]), Number(match[2]), Number(match[3]))
  }
  if (!dayFirst) return null
  for (const form of DAY_FIRST) {
    const match = form.exec(text)
    if (match !== null) return toDays(Number(match[3]), Number(match[2]), Number(match[1]))
  }
  return null
}

export function parseIssueDate(text: string, forms: DateForms): EpochDays | null {
  const match = forms.dayFirst ? DAY_FIRST_SHORT.exec(text) : null
  if (match === null) return parseDate(text, forms)
  const year = Number(match[3])
  if (year < FIRST_SHORT_YEAR_OF_ISSUE || year > LAST_SHORT_YEAR_OF_THIS_CENTURY) return null
  return toDays(2000 + year, Number(match[2]), Number(match[1]))
}

function toDays(year: number, month: number, day: number): EpochDays | null {
  if (year < EARLIEST_YEAR || year > LATEST_YEAR || month < 1 || month > MONTHS || day < 1) return null
  const time = Date.UTC(year, month - 1, day)
  // February 30 would roll over into March, so the date is invalid.
  if (day > DAYS_OF_A_MONTH && new Date(time).getUTCDate() !== day) return null
  return time / DAY_MS
}

const MONTH_FORMS = [
  /^(?<year>\d{4})[-/.](?<month>\d{1,2})$/,
  /^(?<year>\d{4})\s*年\s*(?<month>\d{1,2})\s*月$/,
  /^\(?(?<month>\d{1,2})[-/.](?<year>\d{4})\)?$/,
]
/** As printed on a Hong Kong card: (09-99). */
const MONTH_FIRST_SHORT = /^\(?(?<month>\d{2})[-/.](?<short>\d{2})\)?$/

/** Month and year in the form YYYY-MM. */
export function parseMonth(text: string, { dayFirst }: DateForms): string | null {
  const short = dayFirst ? MONTH_FIRST_SHORT.exec(text)?.groups : undefined
  if (short !== undefined) return toMonth(fullYear(Number(short['short'])), Number(short['month']))
  for (const form of MONTH_FORMS) {
    const groups = form.exec(text)?.groups
    if (groups !== undefined) return toMonth(Number(groups['year']), Number(groups['month']))
  }
  return null
}

function fullYear(short: number): number {
  return short > LAST_SHORT_YEAR_OF_THIS_CENTURY ? 1900 + short : 2000 + short
}

/** The month of a date in the form YYYY-MM. */
export function monthOf(days: EpochDays): string {
  return new Date(days * DAY_MS).toISOString().slice(0, 'YYYY-MM'.length)
}

function toMonth(year: number, month: number): string | null {
  return toDays(year, month, 1) === null ? null : `${year}-${String(month).padStart(2, '0')}`
}

const SEXES: ReadonlyMap<string, Sex> = new Map([
  ['M', 'MALE'],
  ['MALE', 'MALE'],
  ['男', 'MALE'],
  ['男M', 'MALE'],
  ['男/M', 'MALE'],
  ['F', 'FEMALE'],
  ['FEMALE', 'FEMALE'],
  ['女', 'FEMALE'],
  ['女F', 'FEMALE'],
  ['女/F', 'FEMALE'],
])

export function parseSex(text: string): Sex {
  return SEXES.get(text) ?? SEXES.get(text.replaceAll(' ', '').toUpperCase()) ?? 'UNKNOWN'
}

export function parseYesNo(text: string): boolean | null {
  if (text === 'Y' || text === 'y' || text === 'true') return true
  return text === 'N' || text === 'n' || text === 'false' ? false : null
}

/** Half a surrogate pair cannot be encoded in UTF-8 and would change the text. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed()
}
