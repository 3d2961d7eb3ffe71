/**
 * Parts of a record or dead letter that were left out because they were too large or the brokers rejected them. Headers
 * of the dead letter name them, so that nobody mistakes it for the complete event. Pure.
 */
import { hasHeader, textHeader, type Header, type Headers } from '../records/headers.ts'

export const LEFT_OUT_FIELDS = ['key', 'value', 'headers'] as const
export type LeftOutField = (typeof LEFT_OUT_FIELDS)[number]

export interface LeftOut {
  readonly field: LeftOutField
  readonly bytes: number
  /** SHA-256 of the bytes that were left out, in hexadecimal. Headers are hashed as encoded by `encodedHeaders`. */
  readonly sha256: string
}

const PREFIX = 'checkresult-left-out-'

/** `checkresult-left-out-value: 3145728 bytes, sha256 <64 hex digits>`. */
export function leftOutHeader({ field, bytes, sha256 }: LeftOut): Header {
  return textHeader(`${PREFIX}${field}`, `${bytes} bytes, sha256 ${sha256}`)
}

/** The parts that are missing according to the headers of a dead letter. */
export function leftOutFields(headers: Headers): LeftOutField[] {
  return LEFT_OUT_FIELDS.filter((field) => hasHeader(headers, `${PREFIX}${field}`))
}
