/** The label sets for values that come from outside. Any other value is counted as `other`. */
import { NO_ANSWER } from '../../core/calls/answer.ts'
import { KNOWN_MEMBERS, OTHER_MEMBER } from '../../core/normalize/members.ts'
import { DOCUMENT_FAMILY_SYMBOLS } from '../../core/records/schema-types.ts'

export const OTHER = 'other'

/**
 * Sub-codes documented for this product or its siblings. The same number can mean different things in different
 * products.
 */
export const SUB_CODES = ['200', '201', '202', '203', '204', '205', '206', '212', 'none', OTHER] as const

/** `NONE` if no document was checked. */
export const FAMILIES = [...DOCUMENT_FAMILY_SYMBOLS, 'NONE'] as const

/** Names of OCR members. */
export const MEMBERS = [...KNOWN_MEMBERS, OTHER_MEMBER] as const

/** The vendor's documented codes, and the reasons for a call without an answer. */
export const CODES = [
  'Success',
  'ProcessNotCompleted',
  'TransactionIdInvalid',
  'InvalidParameter',
  'MissingParameter',
  'Throttling',
  'Throttling.Api',
  'Throttling.User',
  'InternalError',
  'ServiceUnavailable',
  'SignatureNonceUsed',
  'Forbidden',
  'Forbidden.RAMUserAccessDenied',
  'Forbidden.AccountAccessDenied',
  'Forbidden.NoPermission',
  'InvalidAccessKeyId.NotFound',
  'InvalidAccessKeyId.Inactive',
  'InvalidSecurityToken',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'InvalidTimeStamp.Expired',
  'InvalidTimeStamp.Format',
  'IllegalTimestamp',
  'InsufficientBalance',
  'ActionUnauthorized',
  'InvalidApi.NotFound',
  'InvalidProduct.NotFound',
  ...NO_ANSWER,
  OTHER,
] as const

const codes: ReadonlySet<string> = new Set(CODES)
const subCodes: ReadonlySet<string> = new Set(SUB_CODES)

export function codeLabel(code: string): string {
  if (codes.has(code)) return code
  if (code === '200') return 'Success'
  // For example `MissingTransactionId`. A missing key or token is an account problem instead of a parameter
  // problem.
  if (/^Missing(?!AccessKeyId|SecurityToken)/.test(code)) return 'MissingParameter'
  const [family = ''] = code.split('.', 1)
  return codes.has(family) ? family : OTHER
}

export function subCodeLabel(subCode: string | null): string {
  if (subCode === null) return 'none'
  return subCodes.has(subCode) ? subCode : OTHER
}
