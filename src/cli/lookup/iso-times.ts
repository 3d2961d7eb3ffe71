/** Formats a result for people: Avro's days and milliseconds become ISO dates and times. Pure. */

const DAY_MS = 86_400_000
/** The limit of JavaScript's dates. */
const MAX_DATE_MS = 8.64e15

/** The names of the fields of an Avro schema by their logical type. */
export type LogicalFields = Readonly<Record<'date' | 'timestamp-millis', ReadonlySet<string>>>

/** Derived from the schema, so that fields that are added later are formatted, too. */
export function logicalFields(schema: unknown): LogicalFields {
  const found = { date: new Set<string>(), 'timestamp-millis': new Set<string>() }
  collect(schema, '', found)
  return found
}

function collect(part: unknown, field: string, found: Record<keyof LogicalFields, Set<string>>): void {
  if (Array.isArray(part)) for (const one of part) collect(one, field, found)
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return
  const { name, type, fields, logicalType } = part as Record<string, unknown>
  if (logicalType === 'date' || logicalType === 'timestamp-millis') found[logicalType].add(field)
  if (Array.isArray(fields)) for (const one of fields) collect(one, '', found)
  else if (typeof type === 'object') collect(type, typeof name === 'string' ? name : field, found)
}

/** The value with every date and time as text. Numbers that no date can hold stay numbers. */
export function withIsoTimes(value: unknown, fields: LogicalFields): unknown {
  if (Array.isArray(value)) return value.map((one) => withIsoTimes(one, fields))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'number' ? isoOf(name, member, fields) : withIsoTimes(member, fields),
    ]),
  )
}

function isoOf(name: string, value: number, fields: LogicalFields): string | number {
  if (fields.date.has(name)) return iso(value * DAY_MS)?.slice(0, -'T00:00:00.000Z'.length) ?? value
  return fields['timestamp-millis'].has(name) ? (iso(value) ?? value) : value
}

function iso(epochMs: number): string | null {
  return Math.abs(epochMs) <= MAX_DATE_MS ? new Date(epochMs).toISOString() : null
}
