/** Generated from schemas/*.avsc by dev/generate-schema-types.ts: change those files, not this one. */

/** A customer has finished a verification, so its result is available from CheckResult. */
export interface VerificationCompleted {
  /** The TransactionId that Initialize returned, as stored by your server. Use it as the key of the record, too. */
  readonly transactionId: string
  /** The MerchantBizId that was sent with Initialize. */
  readonly merchantBizId: string
  /** The product code, for example ID_OCR or eKYC. */
  readonly productCode: string | null
  /** The document type code that was sent with Initialize. */
  readonly docType: string | null
  /** Time at which the callback arrived. Milliseconds since the epoch. */
  readonly completedAt: number
  /** The value of passed in the callback, Y or N. Only a hint: the verdict comes from CheckResult. */
  readonly passed: string | null
  /** The value of subCode in the callback. Only a hint: the sub-code comes from CheckResult. */
  readonly subCode: string | null
}

export const VERDICT_SYMBOLS = ['UNKNOWN', 'PASSED', 'FAILED'] as const
export type Verdict = (typeof VERDICT_SYMBOLS)[number]

export const SPOOF_TYPE_SYMBOLS = ['OTHER', 'SCREEN_REMARK', 'PHOTO_COPY', 'TAMPER'] as const
export type SpoofType = (typeof SPOOF_TYPE_SYMBOLS)[number]

export interface Risk {
  /** True if spoofResult is Y, SubCode is 212 or faceAttack is Y. Null if the answer does not contain them, or if they cannot be read. */
  readonly detected: boolean | null
  /** Types of forgery that the answer names. May be filled even if nothing was detected. */
  readonly spoofTypes: readonly SpoofType[]
}

export const DOCUMENT_FAMILY_SYMBOLS = [
  'OTHER',
  'HONG_KONG_IDENTITY_CARD',
  'EXIT_ENTRY_PERMIT_HONG_KONG_MACAO',
  'MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS',
  'PASSPORT',
  'MACAO_IDENTITY_CARD',
  'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS',
  'MAINLAND_RESIDENT_IDENTITY_CARD',
] as const
export type DocumentFamily = (typeof DOCUMENT_FAMILY_SYMBOLS)[number]

export const FAMILY_FROM_SYMBOLS = ['NONE', 'DOC_TYPE', 'FIELDS'] as const
export type FamilyFrom = (typeof FAMILY_FROM_SYMBOLS)[number]

export const SEX_SYMBOLS = ['UNKNOWN', 'MALE', 'FEMALE'] as const
export type Sex = (typeof SEX_SYMBOLS)[number]

/** The fields of all seven document families in one record, each null if the document does not have it. One record instead of a union of seven lets a family gain a field without breaking readers. */
export interface DocumentFields {
  /** Full name as printed, usually Chinese. */
  readonly name: string | null
  /** Full name in Latin letters or pinyin. */
  readonly englishName: string | null
  /** Last name in Latin letters. */
  readonly surname: string | null
  /** First names in Latin letters. */
  readonly givenname: string | null
  /** Last name in Chinese (Macao). */
  readonly surnameCN: string | null
  /** First names in Chinese (Macao). */
  readonly givennameCN: string | null
  /** Chinese commercial code of the name (Hong Kong). */
  readonly nameCode: string | null
  /** Null if the document does not have it, UNKNOWN if it is neither male nor female. */
  readonly sex: Sex | null
  /** Date of birth. January 1 of the year of birth if RESULT_PII is mask. Days since 1970-01-01. */
  readonly birthDate: number | null
  /** Number of the card or permit. */
  readonly idNumber: string | null
  /** Passport number. */
  readonly passportNo: string | null
  /** As printed: a code if read from a machine-readable zone, otherwise free text. */
  readonly nationality: string | null
  /** Issuing country of a passport, as printed. */
  readonly countryCode: string | null
  /** Ethnic group (mainland resident identity card). */
  readonly ethnicity: string | null
  /** Address (mainland resident identity card). */
  readonly address: string | null
  /** Code of the place of birth (Macao), e.g. AS. */
  readonly placeOfBirth: string | null
  /** Date of issue. Days since 1970-01-01. */
  readonly issueDate: number | null
  /** Date of expiry. Null for a document that does not expire. Days since 1970-01-01. */
  readonly expiryDate: number | null
  /** Date of registration (Hong Kong). Days since 1970-01-01. */
  readonly currentIssueDate: number | null
  /** Month and year of the first registration (Hong Kong), as YYYY-MM. */
  readonly firstIssueDate: string | null
  /** Place of issue. */
  readonly placeOfIssue: string | null
  /** Issuing authority. */
  readonly originOfIssue: string | null
  /** Permanent identity card (Hong Kong). */
  readonly isPermanent: boolean | null
  /** Symbols under the date of birth (Hong Kong), e.g. ***AZ. */
  readonly symbols: string | null
  /** Members without a field here, by the vendor's name; and values that a field here cannot hold, by the name of that field. */
  readonly raw: Readonly<Record<string, string>>
}

export interface Document {
  /** Type of document. */
  readonly family: DocumentFamily
  /** How the family was determined: from the event's docType, from the members of the document, or not at all. */
  readonly familyFrom: FamilyFrom
  /** The verdict of the document check itself. */
  readonly ocrPassed: boolean | null
  /** The fields that were read from the document. Null if there are none, or if RESULT_PII is omit. */
  readonly fields: DocumentFields | null
  /** The fields that the customer changed: only those that differ from fields. Null if there are none, or if RESULT_PII is omit. */
  readonly editedFields: DocumentFields | null
}

export interface Source {
  /** Topic of the event. */
  readonly topic: string
  /** Partition of the event. */
  readonly partition: number
  /** Offset of the event. */
  readonly offset: number
}

/** The normalized answer of CheckResult for one completed verification. */
export interface VerificationResult {
  /** Copied from the event. */
  readonly transactionId: string
  /** Copied from the event. */
  readonly merchantBizId: string
  /** Copied from the event. */
  readonly productCode: string | null
  /** Copied from the event. */
  readonly docType: string | null
  /** Derived from Passed only. */
  readonly verdict: Verdict
  /** SubCode as CheckResult returned it. Its meaning depends on the product. */
  readonly subCode: string | null
  /** Signs of forgery, of the document and of the face. */
  readonly risk: Risk
  /** Null if no document was checked, or if it cannot be read. */
  readonly document: Document | null
  /** Request id of the API call. */
  readonly requestId: string | null
  /** Time at which the answer arrived. Milliseconds since the epoch. */
  readonly checkedAt: number
  /** Copied from the event. Milliseconds since the epoch. */
  readonly completedAt: number
  /** Number of calls that were made for this result. */
  readonly attempts: number
  /** Source of the event. Unique for each result. */
  readonly source: Source
}
