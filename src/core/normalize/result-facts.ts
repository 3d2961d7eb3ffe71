/** The facts about a result that metrics need. Nothing personal, and only closed sets except for `subCode`. Pure. */
import type {
  DocumentFamily,
  SpoofType,
  Verdict,
  VerificationCompleted,
  VerificationResult,
} from '../records/schema-types.ts'

export interface ResultFacts {
  readonly verdict: Verdict
  readonly subCode: string | null
  /** Null if no document was checked. */
  readonly family: DocumentFamily | null
  readonly risk: 'risky' | 'clean' | 'absent'
  readonly spoofTypes: readonly SpoofType[]
  /** The callback's hint contradicts the answer, or `Passed` contradicts `SubCode`. */
  readonly disagrees: boolean
}

const PASSED_SUB_CODE = '200'

export function resultFacts(
  { verdict, subCode, risk, document }: VerificationResult,
  hint: Pick<VerificationCompleted, 'passed'>,
): ResultFacts {
  const hinted = hint.passed === 'Y' ? 'PASSED' : hint.passed === 'N' ? 'FAILED' : verdict
  return {
    verdict,
    subCode,
    family: document?.family ?? null,
    risk: risk.detected === null ? 'absent' : risk.detected ? 'risky' : 'clean',
    spoofTypes: risk.detected === true ? risk.spoofTypes : [],
    disagrees: hinted !== verdict || contradicts(verdict, subCode),
  }
}

function contradicts(verdict: Verdict, subCode: string | null): boolean {
  if (subCode === null || verdict === 'UNKNOWN') return false
  return (verdict === 'PASSED') !== (subCode === PASSED_SUB_CODE)
}
