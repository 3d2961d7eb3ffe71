/**
 * Validates the fields of an event, whatever format they come from: maps names to fields, checks what each
 * contains, and creates a message with the field, the expected and the actual type, but never a value.
 */
import { checkTime } from '../../core/records/plausible-time.ts'
import type { VerificationCompleted } from '../../core/records/schema-types.ts'
import type { Decoded } from '../../ports.ts'

export type FieldName = keyof VerificationCompleted

export const REQUIRED_FIELDS = ['transactionId', 'merchantBizId', 'completedAt'] as const
export const FIELDS = [...REQUIRED_FIELDS, 'productCode', 'docType', 'passed', 'subCode'] as const

/** The value found for each field; undefined if there is no such field. Times are in milliseconds. */
export type FoundFields = Record<FieldName, unknown>

export function noFields(): FoundFields {
  return {
    transactionId: undefined,
    merchantBizId: undefined,
    productCode: undefined,
    docType: undefined,
    completedAt: undefined,
    passed: undefined,
    subCode: undefined,
  }
}

/** A value that no field accepts. `what` describes it, for example `a list`. */
export class Unusable {
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}

const TIME_EXPECTED = 'milliseconds since 1970 as an integer'
const MAX_TEXT_LENGTH = 256
const MAX_NAME_LENGTH = 40
const FIELD_BY_SPELLING: ReadonlyMap<string, FieldName> = new Map(
  FIELDS.map((field) => [field.toLowerCase(), field]),
)
/** Factors that convert other units to milliseconds. */
const OTHER_UNITS = [
  ['seconds', 1_000],
  ['microseconds', 1 / 1_000],
  ['nanoseconds', 1 / 1_000_000],
] as const

/**
 * Maps the writer's names to our fields: the exact name, or else another spelling that databases and tools use
 * (`transaction_id`, `TRANSACTIONID`), unless two names share it.
 */
export function matchNames(names: readonly string[]): Map<string, FieldName> {
  const found = new Map<FieldName, string[]>()
  for (const name of names) {
    const field = FIELD_BY_SPELLING.get(spelling(name))
    if (field !== undefined) found.set(field, [...(found.get(field) ?? []), name])
  }
  const matched = new Map<string, FieldName>()
  for (const [field, similar] of found) {
    const [name] = similar
    if (similar.includes(field)) matched.set(field, field)
    else if (similar.length === 1 && name !== undefined) matched.set(name, field)
  }
  return matched
}

/** Skips names much longer than ours, because a record may have many. */
function spelling(name: string): string {
  return name.length > MAX_NAME_LENGTH ? '' : name.replaceAll('_', '').toLowerCase()
}

/** `nowMs` is the current time in milliseconds since the epoch. */
export function toEvent(found: FoundFields, nowMs: number): Decoded {
  const { transactionId, merchantBizId } = found
  const productCode = found.productCode ?? null
  const docType = found.docType ?? null
  const completedAt = toMs(found.completedAt)
  const passed = found.passed ?? null
  const subCode = found.subCode ?? null
  if (
    isText(transactionId) &&
    transactionId !== '' &&
    isText(merchantBizId) &&
    merchantBizId !== '' &&
    isOptionalText(productCode) &&
    isOptionalText(docType) &&
    isTime(completedAt, nowMs) &&
    isOptionalText(passed) &&
    isOptionalText(subCode)
  ) {
    return {
      kind: 'event',
      event: { transactionId, merchantBizId, productCode, docType, completedAt, passed, subCode },
    }
  }
  return { kind: 'undecodable', code: 'invalid-event', message: whatIsWrong(found, nowMs) }
}

/** Half a surrogate pair has no UTF-8 form, so such an id could not be signed or written. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH && value.isWellFormed()
}

function isOptionalText(value: unknown): value is string | null {
  return value === null || isText(value)
}

function isTime(value: unknown, nowMs: number): value is number {
  return Number.isInteger(value) && checkTime(value as number, nowMs) === 'plausible'
}

function toMs(value: unknown): unknown {
  return typeof value === 'string' ? (parseIsoTime(value) ?? value) : value
}

const ISO_TIME =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d{2}):?(\d{2})?)$/

/**
 * Parses a date and time with a UTC offset, to the millisecond. Null for anything else and for dates that do not
 * exist.
 */
function parseIsoTime(text: string): number | null {
  const [, day, minutes, seconds = ':00', fraction = '', zulu, hours = '', rest = '00'] =
    ISO_TIME.exec(text) ?? []
  if (day === undefined || minutes === undefined) return null
  const offset = zulu === undefined ? `${hours}:${rest}` : 'Z'
  const atMs = Date.parse(`${day}T${minutes}${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`)
  const dayMs = Date.parse(`${day}T00:00:00Z`)
  // Date.parse accepts February 30 as March 2.
  const exists = !Number.isNaN(dayMs) && new Date(dayMs).toISOString().startsWith(day)
  return exists && !Number.isNaN(atMs) ? atMs : null
}

function whatIsWrong(found: FoundFields, nowMs: number): string {
  const problems = FIELDS.flatMap((field) => {
    const problem =
      field === 'completedAt' ? timeProblem(found[field], nowMs) : textProblem(field, found[field])
    return problem === null ? [] : [`${field}: ${problem}`]
  })
  return `${problems.join('; ')}.`
}

function textProblem(field: FieldName, value: unknown): string | null {
  const required = REQUIRED_FIELDS.some((one) => one === field)
  if (!required && (value === undefined || value === null)) return null
  const expected = `expected a string of ${required ? 1 : 0} to ${MAX_TEXT_LENGTH} characters`
  if (typeof value !== 'string') return `${expected}, got ${kindOf(value)}`
  if (value === '') return required ? `${expected}, got an empty one` : null
  if (value.length > MAX_TEXT_LENGTH) return `${expected}, got a longer one`
  return value.isWellFormed() ? null : `${expected}, got one that is not valid Unicode`
}

function timeProblem(value: unknown, nowMs: number): string | null {
  const time = toMs(value)
  if (typeof time === 'string')
    return `expected ${TIME_EXPECTED}, got a string that is not an ISO 8601 time with a time zone`
  if (typeof time !== 'number' || !Number.isInteger(time))
    return `expected ${TIME_EXPECTED}, got ${kindOf(time)}`
  const check = checkTime(time, nowMs)
  if (check === 'plausible') return null
  const unit = OTHER_UNITS.find(([, factor]) => checkTime(time * factor, nowMs) === 'plausible')
  const place = check === 'too-early' ? 'before 2015' : 'more than a day ahead'
  return `expected ${TIME_EXPECTED}, got a time ${place}${unit === undefined ? '' : `; it looks like ${unit[0]}`}`
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing: there is no such field'
  if (value === null) return 'null'
  if (value instanceof Unusable) return value.what
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value !== 'number') return `a ${typeof value}`
  return Number.isInteger(value) ? 'an integer' : 'a number with a fraction'
}
