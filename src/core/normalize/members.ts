/**
 * OCR members under one name each: the vendor writes camelCase for ID_OCR and eKYC, snake_case for eKYC_PRO and the MAX
 * and PRO products, and other words in some samples. Pure.
 */
import type { OcrMembers, Personal } from '../answer.ts'

const OTHER_NAMES: Readonly<Record<string, string>> = {
  name_cn: 'name',
  name_en: 'englishName',
  english_name: 'englishName',
  full_name: 'name',
  given_name: 'givenname',
  given_names: 'givenname',
  givenName: 'givenname',
  givenNames: 'givenname',
  firstName: 'givenname',
  lastName: 'surname',
  surname_cn: 'surnameCN',
  given_name_cn: 'givennameCN',
  given_names_cn: 'givennameCN',
  name_code: 'nameCode',
  gender: 'sex',
  date_of_birth: 'birthDate',
  dateOfBirth: 'birthDate',
  birth_date: 'birthDate',
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
  expiration_date: 'expiryDate',
  current_issue_date: 'currentIssueDate',
  first_issue_date: 'firstIssueDate',
  place_of_issue: 'placeOfIssue',
  origin_of_issue: 'originOfIssue',
  issuing_authority: 'originOfIssue',
  is_permanent: 'isPermanent',
  // `OcrValueStandard`: the vendor's own standard form of a member, better than the one it stands for.
  surname_s: 'surname',
  given_name_s: 'givenname',
  date_of_birth_s: 'birthDate',
  sex_s: 'sex',
}

const STANDARD = /_s$/

/** By our names; members we know no other name for keep theirs. */
export function canonicalMembers(members: OcrMembers): OcrMembers {
  const canonical = Object.create(null) as Record<string, Personal>
  for (const [name, text] of Object.entries(members)) {
    const known = Object.hasOwn(OTHER_NAMES, name) ? (OTHER_NAMES[name] ?? name) : name
    if (canonical[known] === undefined || STANDARD.test(name)) canonical[known] = text
  }
  return canonical
}
