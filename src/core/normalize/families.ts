/**
 * Which of the seven families a document belongs to. By the event's docType when it has one, of any of the vendor's
 * three code families; else by the members, where they tell it. Pure and total.
 */
import type { OcrMembers } from '../answer.ts'
import type { DocumentFamily, FamilyFrom } from '../schema-types.ts'

export interface FamilyFound {
  readonly family: DocumentFamily
  readonly familyFrom: FamilyFrom
}

const HONG_KONG = 'HONG_KONG_IDENTITY_CARD'
const EXIT_ENTRY = 'EXIT_ENTRY_PERMIT_HONG_KONG_MACAO'
const HOME_RETURN = 'MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS'
const PASSPORT = 'PASSPORT'
const MACAO = 'MACAO_IDENTITY_CARD'
const TAIWAN = 'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS'
const MAINLAND = 'MAINLAND_RESIDENT_IDENTITY_CARD'

/** Eight digits (ID_OCR, eKYC), ISO country with five digits (eKYC_PRO, ID_OCR_MAX); `0156000x` is of KYC_GLOBAL. */
const BY_DOC_TYPE: Readonly<Record<string, DocumentFamily>> = {
  '00000001': MAINLAND,
  '00000006': HONG_KONG,
  '00000008': HONG_KONG,
  '00000007': EXIT_ENTRY,
  '00000009': HOME_RETURN,
  '00000012': TAIWAN,
  // As two of the vendor's pages print it, with nine digits.
  '000000012': TAIWAN,
  '01000000': PASSPORT,
  HKG01001: HONG_KONG,
  HKG01002: HONG_KONG,
  CHN01001: MAINLAND,
  CHN03001: PASSPORT,
  CHN05001: EXIT_ENTRY,
  CHN05002: TAIWAN,
  CHN05003: HOME_RETURN,
  MAC01001: MACAO,
  MAC01002: MACAO,
  MAC01003: MACAO,
  GLB03001: PASSPORT,
  GLB03002: PASSPORT,
  '01560000': MAINLAND,
  '01560001': MAINLAND,
}

/**
 * Members that only one family has, most telling first. The Exit-Entry Permit and the permit of Taiwan residents have
 * the same members, and those of Hong Kong and Macao residents' permit are a part of them: none of the three is guessed.
 */
const BY_MEMBER: readonly (readonly [member: string, family: DocumentFamily])[] = [
  ['nameCode', HONG_KONG],
  ['isPermanent', HONG_KONG],
  ['symbols', HONG_KONG],
  ['firstIssueDate', HONG_KONG],
  ['currentIssueDate', HONG_KONG],
  ['passportNo', PASSPORT],
  ['surnameCN', MACAO],
  ['givennameCN', MACAO],
  ['placeOfBirth', MACAO],
  ['ethnicity', MAINLAND],
]

/** `members` by our names, see `canonicalMembers`. */
export function findFamily(docType: string | null, members: OcrMembers | null): FamilyFound {
  if (docType !== null) return { family: BY_DOC_TYPE[docType] ?? 'OTHER', familyFrom: 'DOC_TYPE' }
  const told = members === null ? undefined : BY_MEMBER.find(([member]) => members[member] !== undefined)
  return told === undefined
    ? { family: 'OTHER', familyFrom: 'NONE' }
    : { family: told[1], familyFrom: 'FIELDS' }
}

export function isHongKongCard(family: DocumentFamily): boolean {
  return family === HONG_KONG
}
