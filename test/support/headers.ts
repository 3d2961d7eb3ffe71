/** Reads and writes record headers. */
import type { IHeaders } from 'kafkajs'
import { lastText, type Header, type Headers } from '../../src/core/records/headers.ts'

type Value = Buffer | string | null

export function headersOf(values: Readonly<Record<string, Value | readonly Value[]>>): Headers {
  return Object.entries(values).flatMap(([name, value]): Header[] =>
    (Array.isArray(value) ? (value as readonly Value[]) : [value as Value]).map((one) => ({
      name,
      value: typeof one === 'string' ? Buffer.from(one) : one,
    })),
  )
}

/** Names and texts, in order. */
export function headerTexts(headers: Headers): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value }) => [name, String(value)]))
}

/** `undefined` if the header is missing, so that a test cannot mistake a missing header for an empty one. */
export function headerText(headers: Headers, name: string): string | undefined {
  return headers.some((header) => header.name === name) ? lastText(headers, name) : undefined
}

/** Lists headers that kafkajs returned as an object. Only the order of the first header of each name is kept. */
export function listHeaders(headers: IHeaders): Headers {
  return Object.entries(headers).flatMap(([name, values]): Header[] =>
    [values ?? null].flat().map((value) => ({
      name: Buffer.from(name).toString('latin1'),
      value: typeof value === 'string' ? Buffer.from(value) : value,
    })),
  )
}
