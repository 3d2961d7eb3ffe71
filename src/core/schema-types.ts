/** Generated from schemas/*.avsc by dev/generate-schema-types.ts: change those, not this. */

/** A customer has finished a verification: the answer can be asked for. */
export interface VerificationCompleted {
  /** TransactionId that Initialize returned, as the server stored it. Use it as the key of the record, too. */
  readonly transactionId: string
  /** MerchantBizId sent with Initialize. */
  readonly merchantBizId: string
  /** ID_OCR, eKYC, ... */
  readonly productCode: string | null
  /** Document type code sent with Initialize. */
  readonly docType: string | null
  /** When the callback came. Milliseconds since the epoch. */
  readonly completedAt: number
  /** The callback's hint: Y or N. */
  readonly passed: string | null
  /** The callback's hint. */
  readonly subCode: string | null
}

export const VERDICT_SYMBOLS = ['UNKNOWN', 'PASSED', 'FAILED'] as const
export type Verdict = (typeof VERDICT_SYMBOLS)[number]

export const SPOOF_TYPE_SYMBOLS = ['OTHER', 'SCREEN_REMARK', 'PHOTO_COPY', 'TAMPER'] as const
export type SpoofType = (typeof SPOOF_TYPE_SYMBOLS)[number]

export interface Risk {
  /** True when spoofResult is Y, SubCode is 212 or faceAttack is Y; null when nothing was said of it, or what was said could not be read. */
  readonly detected: boolean | null
  /** Kinds of forgery named; may be filled although nothing was detected. */
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

/** The members of all seven families in one record, each null where the document does not say: a reader needs no union of seven, and a family that gains a member breaks nobody. */
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
  /** Null when the document does not say; UNKNOWN when it names neither. */
  readonly sex: Sex | null
  /** Date of birth; its first of January when RESULT_PII is mask. Days since 1970-01-01. */
  readonly birthDate: number | null
  /** Number of the card or permit. */
  readonly idNumber: string | null
  /** Passport number. */
  readonly passportNo: string | null
  /** As printed: a code in a machine-readable zone, free text elsewhere. */
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
  /** Date of expiry; null for a document that does not expire. Days since 1970-01-01. */
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
  /** By the vendor's name, members that have no field here; by the field's name, texts that the field cannot hold. */
  readonly raw: Readonly<Record<string, string>>
}

export interface Document {
  /** Kind of document. */
  readonly family: DocumentFamily
  /** What told the family: the event's docType, the members, or nothing. */
  readonly familyFrom: FamilyFrom
  /** The document check's own verdict. */
  readonly ocrPassed: boolean | null
  /** What was read off the document; null when nothing was, or RESULT_PII is omit. */
  readonly fields: DocumentFields | null
  /** What the customer changed: only the members that say something else than fields; null when none does, or RESULT_PII is omit. */
  readonly editedFields: DocumentFields | null
}

export interface Source {
  /** Input topic. */
  readonly topic: string
  /** Its partition. */
  readonly partition: number
  /** The event's offset there. */
  readonly offset: number
}

/** What CheckResult said of one completed verification, normalised. */
export interface VerificationResult {
  /** As in the event. */
  readonly transactionId: string
  /** As in the event. */
  readonly merchantBizId: string
  /** As in the event. */
  readonly productCode: string | null
  /** As in the event. */
  readonly docType: string | null
  /** From Passed alone. */
  readonly verdict: Verdict
  /** SubCode as sent; its meaning depends on the product. */
  readonly subCode: string | null
  /** What was said about forgery, of the document and of the face. */
  readonly risk: Risk
  /** Null when no document was checked, or what came could not be read. */
  readonly document: Document | null
  /** The API's id of the call. */
  readonly requestId: string | null
  /** When the answer came. Milliseconds since the epoch. */
  readonly checkedAt: number
  /** As in the event. Milliseconds since the epoch. */
  readonly completedAt: number
  /** Calls made for this result. */
  readonly attempts: number
  /** Where the event stood: unique to the result. */
  readonly source: Source
}
