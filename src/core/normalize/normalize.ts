/** A settled answer to a result: pure, total, and always encodable by the schema. */
import type { CheckAnswer, DocumentAnswer, OcrMembers } from '../answer.ts'
import type { SourceCoordinates } from '../history.ts'
import {
  SPOOF_TYPE_SYMBOLS,
  type Document,
  type Risk,
  type SpoofType,
  type Verdict,
  type VerificationCompleted,
  type VerificationResult,
} from '../schema-types.ts'
import { findFamily } from './families.ts'
import { toFields } from './fields.ts'
import { canonicalMembers } from './members.ts'
import { protect, type PiiMode } from './privacy.ts'

export interface NormalizeContext {
  readonly event: VerificationCompleted
  readonly attempts: number
  readonly checkedAtMs: number
  readonly source: SourceCoordinates
  readonly pii: PiiMode
}

const VERDICTS: Readonly<Record<string, Verdict>> = { Y: 'PASSED', N: 'FAILED' }
/** The document shows signs of forgery. */
const FORGERY = '212'

export function normalize(answer: CheckAnswer, context: NormalizeContext): VerificationResult {
  const { event, source } = context
  return {
    transactionId: event.transactionId,
    merchantBizId: event.merchantBizId,
    productCode: event.productCode,
    docType: event.docType,
    verdict: VERDICTS[answer.passed ?? ''] ?? 'UNKNOWN',
    subCode: answer.subCode,
    risk: riskOf(answer),
    document: typeof answer.document === 'string' ? null : documentOf(answer.document, context),
    requestId: answer.requestId,
    checkedAt: context.checkedAtMs,
    completedAt: event.completedAt,
    attempts: context.attempts,
    source: { topic: source.topic, partition: source.partition, offset: Number(source.offset) },
  }
}

/** Never from a filled `spoofType`: the vendor's own samples fill it for documents it finds genuine. */
function riskOf({ spoofed, subCode, faceAttacked, spoofTypes }: CheckAnswer): Risk {
  const risky = spoofed === true || faceAttacked === true || subCode === FORGERY
  const saidNothing = spoofed === null && faceAttacked === null
  return {
    detected: risky ? true : saidNothing ? null : false,
    spoofTypes: [...new Set(spoofTypes.map(toSpoofType))],
  }
}

function toSpoofType(text: string): SpoofType {
  return SPOOF_TYPE_SYMBOLS.find((symbol) => symbol === text) ?? 'OTHER'
}

function documentOf(document: DocumentAnswer, { event, pii }: NormalizeContext): Document {
  const members = document.fields === null ? null : canonicalMembers(document.fields)
  const edited =
    document.editedFields === null ? null : changed(canonicalMembers(document.editedFields), members)
  const { family, familyFrom } = findFamily(event.docType, members ?? edited)
  return {
    family,
    familyFrom,
    ocrPassed: document.ocrPassed,
    fields: members === null ? null : protect(toFields(members, family), pii),
    editedFields: edited === null ? null : protect(toFields(edited, family), pii),
  }
}

/** What the customer changed: members whose text differs from what was read; null when nothing does. */
function changed(edited: OcrMembers, read: OcrMembers | null): OcrMembers | null {
  const differing = Object.entries(edited).filter(([name, text]) => read?.[name] !== text)
  return differing.length === 0 ? null : (Object.fromEntries(differing) as OcrMembers)
}
