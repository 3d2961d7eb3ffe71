/** Headers between our ordered list and the object that kafkajs reads and writes. */
import { NO_HEADERS, type Header, type Headers } from '../../core/headers.ts'

export type ObjectHeaders = Readonly<Record<string, Buffer | readonly Buffer[] | null>>

export function fromObject(headers: ObjectHeaders | undefined): Headers {
  const entries = Object.entries(headers ?? {})
  if (entries.length === 0) return NO_HEADERS
  return entries.flatMap(([text, values]): Header[] => {
    const name = Buffer.from(text).toString('latin1')
    return Array.isArray(values)
      ? (values as readonly Buffer[]).map((value) => ({ name, value }))
      : [{ name, value: values as Buffer | null }]
  })
}

export function toObject(headers: Headers): ObjectHeaders {
  const values = Map.groupBy(headers, ({ name }) => Buffer.from(name, 'latin1').toString('utf8'))
  return Object.fromEntries(
    [...values].map(([name, all]) => [name, all.map(({ value }) => value)]),
  ) as ObjectHeaders
}
