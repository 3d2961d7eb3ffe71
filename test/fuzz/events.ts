/** Generates healthy events, and the markers by which the simulated API and the log search recognize them. */
import { createHash } from 'node:crypto'
import type { VerificationCompleted } from '../../src/core/records/schema-types.ts'
import type { Dice } from './dice.ts'

/**
 * Contained in every field of events and answers that could identify a person. It may only appear in values of
 * outputs.
 */
export const CANARY = 'zqxleak'

const CHECK_DIGITS = 8
const ID_PATTERN = /zqxleakf([0-9a-z]{1,8})x([0-9a-f]{8})/

function checkOf(seed: number, number: number): string {
  return createHash('sha256').update(`id/${seed}/${number}`).digest('hex').slice(0, CHECK_DIGITS)
}

export function transactionIdOf(seed: number, number: number): string {
  return `${CANARY}f${number.toString(36)}x${checkOf(seed, number)}`
}

/** The number of the record with this transaction. Null if a mutation made it up. */
export function numberOf(seed: number, transactionId: string): number | null {
  const [, digits = '', check] = ID_PATTERN.exec(transactionId) ?? []
  const number = Number.parseInt(digits, 36)
  return check !== undefined && check === checkOf(seed, number) ? number : null
}

const ODD_SUFFIXES = ['', ' ', '\u0000', "'; --", '测试', '\u{1f600}', '%2F', '&TransactionId=x', '\n', '+']
const DOC_TYPES = ['00000008', '00000006', '01000000', 'MAC01001', 'GLB03002', null, '', CANARY, '__proto__']
const MAX_AGE_MS = 60_000

export interface EventOptions {
  readonly seed: number
  readonly number: number
  readonly nowMs: number
  /** Letters and digits only, like the vendor's ids. */
  readonly isPlain: boolean
}

export function eventOf(dice: Dice, { seed, number, nowMs, isPlain }: EventOptions): VerificationCompleted {
  const suffix = isPlain || dice.chance(0.9) ? '' : dice.pick(ODD_SUFFIXES)
  return {
    transactionId: transactionIdOf(seed, number) + suffix,
    merchantBizId: `${CANARY}biz${number.toString(36)}${suffix}`,
    productCode: dice.pick(['ID_OCR', 'eKYC', 'eKYC_PRO', null, CANARY]),
    docType: dice.pick(DOC_TYPES),
    completedAt: nowMs - dice.below(MAX_AGE_MS),
    passed: dice.pick([null, 'Y', 'N', CANARY]),
    subCode: dice.pick([null, '200', '212', CANARY]),
  }
}

export function toJson(event: object): Buffer {
  return Buffer.from(JSON.stringify(event))
}

/** Confluent's framing: a magic byte, the schema id and the payload. */
export function framed(id: number, bytes: Buffer, magic = 0): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(magic)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, bytes])
}
