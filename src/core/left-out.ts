/**
 * What a record or a dead letter lacks because it was too large, or was refused by the brokers: named in headers of the dead
 * dead letter, so that nobody takes it for the whole. Pure.
 */
import { hasHeader, textHeader, type Header, type Headers } from './headers.ts'

export const LEFT_OUT_FIELDS = ['key', 'value', 'headers'] as const
export type LeftOutField = (typeof LEFT_OUT_FIELDS)[number]

export interface LeftOut {
  readonly field: LeftOutField
  readonly bytes: number
  /** Of the bytes that were left out, in hexadecimal; headers count as a record holds them (`encodedHeaders`). */
  readonly sha256: string
}

const PREFIX = 'checkresult-left-out-'

/** `checkresult-left-out-value: 3145728 bytes, sha256 <64 hex digits>`. */
export function leftOutHeader({ field, bytes, sha256 }: LeftOut): Header {
  return textHeader(`${PREFIX}${field}`, `${bytes} bytes, sha256 ${sha256}`)
}

/** What the headers of a dead letter say that it lacks. */
export function leftOutFields(headers: Headers): LeftOutField[] {
  return LEFT_OUT_FIELDS.filter((field) => hasHeader(headers, `${PREFIX}${field}`))
}
