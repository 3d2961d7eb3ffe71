/** Generates random corrupted events. The same seed gives the same events. */
import avsc from 'avsc'
import { schemaJson } from '../../src/adapters/registry/schemas.ts'

const type = avsc.Type.forSchema(JSON.parse(schemaJson('verification-completed')) as avsc.Schema)
const HEADER_BYTES = 5
const MAX_TEXT = 256
const MAX_CHANGES = 3

export type Random = () => number

/** Mulberry32: numbers from 0 up to but excluding 1. */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Changes bytes until they are no longer a valid event. */
export function mutant(healthy: Buffer, random: Random): Buffer {
  for (;;) {
    let bytes = healthy
    for (let left = 1 + Math.floor(random() * MAX_CHANGES); left > 0; left -= 1) bytes = change(bytes, random)
    if (!isEvent(bytes, healthy)) return bytes
  }
}

function change(bytes: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * bytes.length)
  const byte = Buffer.from([Math.floor(random() * 256)])
  switch (Math.floor(random() * 4)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at)])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    default:
      return Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at + 1)])
  }
}

/** Whether a consumer would accept it as an event, decided without the service's own decoder. */
function isEvent(bytes: Buffer, healthy: Buffer): boolean {
  if (bytes.length === 0) return false
  if (healthy[0] === 0 && !bytes.subarray(0, HEADER_BYTES).equals(healthy.subarray(0, HEADER_BYTES)))
    return false
  try {
    const decode = new TextDecoder('utf-8', { fatal: true })
    const event: unknown =
      bytes[0] === 0 ? type.fromBuffer(bytes.subarray(HEADER_BYTES)) : JSON.parse(decode.decode(bytes))
    return fits(event)
  } catch {
    return false
  }
}

function isText(value: unknown, min: number): boolean {
  return typeof value === 'string' && value.length >= min && value.length <= MAX_TEXT
}

function fits(event: unknown): boolean {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return false
  // Fields are also read in other spellings, for example `transaction_id`.
  const names = Object.keys(event).map((name) => name.replaceAll('_', '').toLowerCase())
  const byName = Object.fromEntries(Object.values(event).map((value, at) => [names[at], value as unknown]))
  const { transactionid, merchantbizid, completedat, ...rest } = byName
  const { productcode, doctype, passed, subcode } = rest
  return (
    isText(transactionid, 1) &&
    isText(merchantbizid, 1) &&
    Number.isSafeInteger(completedat) &&
    [productcode, doctype, passed, subcode].every(
      (value) => value === undefined || value === null || isText(value, 0),
    )
  )
}
