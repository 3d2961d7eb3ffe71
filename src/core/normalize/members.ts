/**
 * Maps the vendor's names of OCR members to fields. ID_OCR and eKYC use camelCase; eKYC_PRO and the MAX and PRO
 * products use snake_case; some samples use other words. Pure.
 */
import type { OcrMembers } from '../calls/answer.ts'
import { FIELD_NAMES, type FieldName } from './document-fields.ts'

const OTHER_NAMES = {
  name_cn: 'name',
  full_name: 'name',
  name_en: 'englishName',
  english_name: 'englishName',
  lastName: 'surname',
  given_name: 'givenname',
  given_names: 'givenname',
  givenName: 'givenname',
  firstName: 'givenname',
  surname_cn: 'surnameCN',
  given_name_cn: 'givennameCN',
  given_names_cn: 'givennameCN',
  name_code: 'nameCode',
  gender: 'sex',
  date_of_birth: 'birthDate',
  birth_date: 'birthDate',
  dateOfBirth: 'birthDate',
  id_number: 'idNumber',
  passport_number: 'passportNo',
  passport_no: 'passportNo',
  passportNumber: 'passportNo',
  country_code: 'countryCode',
  issuing_country: 'countryCode',
  place_of_birth: 'placeOfBirth',
  date_of_issue: 'issueDate',
  issue_date: 'issueDate',
  date_of_expiry: 'expiryDate',
  expiry_date: 'expiryDate',
  date_of_registration: 'currentIssueDate',
  current_issue_date: 'currentIssueDate',
  date_of_first_issue: 'firstIssueDate',
  first_issue_date: 'firstIssueDate',
  place_of_issue: 'placeOfIssue',
  origin_of_issue: 'originOfIssue',
  issuing_authority: 'originOfIssue',
  is_permanent: 'isPermanent',
} as const satisfies Record<string, FieldName>

/** `OcrValueStandard`: the vendor's standardized form of a member, preferred over the text as printed. */
const STANDARD_NAMES = {
  surname_s: 'surname',
  given_name_s: 'givenname',
  date_of_birth_s: 'birthDate',
  sex_s: 'sex',
} as const satisfies Record<string, FieldName>

const FIELDS: ReadonlyMap<string, FieldName> = new Map<string, FieldName>([
  ...FIELD_NAMES.map((name) => [name, name] as const),
  ...Object.entries(OTHER_NAMES),
  ...Object.entries(STANDARD_NAMES),
])

/** All known vendor names of members that have a field. */
export const KNOWN_MEMBERS: readonly string[] = [...FIELDS.keys()]
/** Replaces all other names where members are counted. */
export const OTHER_MEMBER = 'other'

export function isKnownMember(name: string): boolean {
  return FIELDS.has(name)
}

export interface NameForms {
  /** The document has two names: `name` is the one in Latin letters, and `name_cn` the one as printed. */
  readonly twoNames: boolean
}

export function nameForms(...parts: readonly (OcrMembers | null)[]): NameForms {
  return { twoNames: parts.some((members) => members?.['name_cn'] !== undefined) }
}

/** Undefined if the member has no field. */
export function fieldOf(member: string, { twoNames }: NameForms): FieldName | undefined {
  return twoNames && member === 'name' ? 'englishName' : FIELDS.get(member)
}

const STANDARD = Object.keys(STANDARD_NAMES)

/** The members' names, standardized forms first. */
export function namesInOrder(members: OcrMembers): readonly string[] {
  const names = Object.keys(members)
  const standard = STANDARD.filter((name) => members[name] !== undefined)
  return standard.length === 0 ? names : [...standard, ...names.filter((name) => !standard.includes(name))]
}
