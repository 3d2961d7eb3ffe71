/**
 * Turns a final answer into a result. Pure and total; the result always fits the schema. The verdict is PASSED or
 * FAILED. `UNKNOWN` is never written: the schema has it for readers, as the default for verdicts of later versions.
 */
import type { CheckAnswer, DocumentAnswer, FinalAnswer } from '../calls/answer.ts'
import type { SourceCoordinates } from '../records/history.ts'
import {
  SPOOF_TYPE_SYMBOLS,
  type Document,
  type Risk,
  type Source,
  type SpoofType,
  type VerificationCompleted,
  type VerificationResult,
} from '../records/schema-types.ts'
import { changedFields } from './document-fields.ts'
import { findFamily, HONG_KONG } from './families.ts'
import { toFields } from './fields.ts'
import { nameForms } from './members.ts'
import { protect, type PiiMode } from './privacy.ts'
import { wellFormed } from './values.ts'

export interface NormalizeContext {
  readonly event: VerificationCompleted
  readonly attempts: number
  readonly checkedAtMs: number
  readonly source: SourceCoordinates
  readonly pii: PiiMode
}

/** SubCode 212: the document shows signs of forgery. */
const FORGERY = '212'
const MAX_INT = 2_147_483_647
/** The range in which avsc writes JavaScript numbers as longs exactly; an event may contain numbers outside it. */
const MAX_LONG = Number.MAX_SAFE_INTEGER - 1
const MIN_LONG = -(2 ** 52)

export function normalize(answer: FinalAnswer, context: NormalizeContext): VerificationResult {
  const { event } = context
  return {
    transactionId: wellFormed(event.transactionId),
    merchantBizId: wellFormed(event.merchantBizId),
    productCode: wellFormedOrNull(event.productCode),
    docType: wellFormedOrNull(event.docType),
    verdict: answer.passed === 'Y' ? 'PASSED' : 'FAILED',
    subCode: wellFormedOrNull(answer.subCode),
    risk: riskOf(answer),
    document: typeof answer.document === 'string' ? null : documentOf(answer.document, context),
    requestId: wellFormedOrNull(answer.requestId),
    checkedAt: toLong(context.checkedAtMs),
    completedAt: toLong(event.completedAt),
    attempts: Math.min(context.attempts, MAX_INT),
    source: sourceOf(context.source),
  }
}

/** Ignores `spoofType`, because the vendor's own samples fill it for genuine documents. */
function riskOf({ spoofed, subCode, faceAttacked, spoofTypes, document }: CheckAnswer): Risk {
  const risky = spoofed === true || faceAttacked === true || subCode === FORGERY
  // The unreadable part may contain a warning.
  const unknown = document === 'unreadable' || (spoofed === null && faceAttacked === null)
  return { detected: risky ? true : unknown ? null : false, spoofTypes: toSpoofTypes(spoofTypes) }
}

function toSpoofTypes(texts: readonly string[]): readonly SpoofType[] {
  return texts.length === 0 ? [] : [...new Set(texts.map(toSpoofType))]
}

function toSpoofType(text: string): SpoofType {
  return SPOOF_TYPE_SYMBOLS.find((symbol) => symbol === text) ?? 'OTHER'
}

function documentOf(
  { ocrPassed, fields, editedFields }: DocumentAnswer,
  { event, pii }: NormalizeContext,
): Document {
  const { family, familyFrom } = findFamily(event.docType, fields ?? editedFields)
  const forms = { dayFirst: family === HONG_KONG, ...nameForms(fields, editedFields) }
  const read = fields === null ? null : toFields(fields, forms)
  const changed = editedFields === null ? null : changedFields(toFields(editedFields, forms), read)
  return {
    family,
    familyFrom,
    ocrPassed,
    fields: read === null ? null : protect(read, pii),
    editedFields: changed === null ? null : protect(changed, pii),
  }
}

function sourceOf({ topic, partition, offset }: SourceCoordinates): Source {
  return { topic, partition, offset: toLong(Number(offset)) }
}

function toLong(count: number): number {
  return Math.max(MIN_LONG, Math.min(count, MAX_LONG))
}

function wellFormedOrNull(text: string | null): string | null {
  return text === null ? null : wellFormed(text)
}
