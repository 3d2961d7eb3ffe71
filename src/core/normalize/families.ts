/**
 * Determines which of the seven families a document belongs to: by the event's docType, otherwise by characteristic
 * members. Pure and total.
 */
import type { OcrMembers } from '../calls/answer.ts'
import type { DocumentFamily, FamilyFrom } from '../records/schema-types.ts'

export interface FamilyFound {
  readonly family: DocumentFamily
  readonly familyFrom: FamilyFrom
}

export const HONG_KONG = 'HONG_KONG_IDENTITY_CARD'
const EXIT_ENTRY = 'EXIT_ENTRY_PERMIT_HONG_KONG_MACAO'
const HOME_RETURN = 'MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS'
const PASSPORT = 'PASSPORT'
const MACAO = 'MACAO_IDENTITY_CARD'
const TAIWAN = 'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS'
const MAINLAND = 'MAINLAND_RESIDENT_IDENTITY_CARD'

const BY_DOC_TYPE: ReadonlyMap<string, DocumentFamily> = new Map([
  // ID_OCR, eKYC and eKYC_MIN. The codes of the Macao card and of KYC_GLOBAL (0156…) are not documented.
  ['00000001', MAINLAND],
  ['00000006', HONG_KONG],
  ['00000007', EXIT_ENTRY],
  ['00000008', HONG_KONG],
  ['00000009', HOME_RETURN],
  ['00000012', TAIWAN],
  // Two of the vendor's pages print it with nine digits.
  ['000000012', TAIWAN],
  ['01000000', PASSPORT],
  // eKYC_PRO, ID_OCR_MAX and ID_OCR_PRO.
  ['HKG01001', HONG_KONG],
  ['HKG01002', HONG_KONG],
  ['CHN01001', MAINLAND],
  ['CHN03001', PASSPORT],
  ['CHN05001', EXIT_ENTRY],
  ['CHN05002', TAIWAN],
  ['CHN05003', HOME_RETURN],
  ['MAC01001', MACAO],
  ['MAC01002', MACAO],
  ['MAC01003', MACAO],
  ['GLB03001', PASSPORT],
  ['GLB03002', PASSPORT],
])

/**
 * Codes of this form exist for documents of all countries. A code that is not in the table belongs to none of the seven
 * families.
 */
const WORLD_CODE = /^[A-Z]{3}\d{5}$/

/**
 * Members that identify a family, by the vendor's names, most specific first. Snake_case members come from documents of
 * all countries, so only the passport number is conclusive there. The Exit-Entry Permit and the permits of Taiwan, Hong
 * Kong and Macao residents share their members, so none of the three is guessed.
 */
const BY_MEMBERS: readonly (readonly [members: readonly string[], family: DocumentFamily])[] = [
  [['nameCode'], HONG_KONG],
  [['isPermanent'], HONG_KONG],
  [['symbols'], HONG_KONG],
  [['firstIssueDate'], HONG_KONG],
  [['currentIssueDate'], HONG_KONG],
  [['passportNo'], PASSPORT],
  [['passport_number'], PASSPORT],
  [['surnameCN'], MACAO],
  [['givennameCN'], MACAO],
  [['placeOfBirth'], MACAO],
  [['ethnicity', 'idNumber'], MAINLAND],
]

export function findFamily(docType: string | null, members: OcrMembers | null): FamilyFound {
  if (docType !== null) {
    const named = BY_DOC_TYPE.get(docType)
    if (named !== undefined) return { family: named, familyFrom: 'DOC_TYPE' }
    if (WORLD_CODE.test(docType)) return { family: 'OTHER', familyFrom: 'DOC_TYPE' }
  }
  const family = members === null ? undefined : familyOfMembers(members)
  return family === undefined
    ? { family: 'OTHER', familyFrom: 'NONE' }
    : { family: family, familyFrom: 'FIELDS' }
}

function familyOfMembers(members: OcrMembers): DocumentFamily | undefined {
  return BY_MEMBERS.find(([identifying]) => identifying.every((name) => Object.hasOwn(members, name)))?.[1]
}
