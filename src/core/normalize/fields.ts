/**
 * OCR members to typed fields. A text that a typed field cannot hold is kept in `raw` under the vendor's name for it,
 * and so is every member without a field. Pure and total.
 */
import type { OcrMembers } from '../answer.ts'
import type { DocumentFamily, DocumentFields } from '../schema-types.ts'
import { isHongKongCard } from './families.ts'
import { parseDate, parseIssueDate, parseMonth, parseSex, parseYesNo } from './values.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const TEXTS = new Set<keyof DocumentFields>([
  'name',
  'englishName',
  'surname',
  'givenname',
  'surnameCN',
  'givennameCN',
  'nameCode',
  'idNumber',
  'passportNo',
  'nationality',
  'countryCode',
  'ethnicity',
  'address',
  'placeOfBirth',
  'placeOfIssue',
  'originOfIssue',
  'symbols',
])

type TextField =
  | 'name'
  | 'englishName'
  | 'surname'
  | 'givenname'
  | 'surnameCN'
  | 'givennameCN'
  | 'nameCode'
  | 'idNumber'
  | 'passportNo'
  | 'nationality'
  | 'countryCode'
  | 'ethnicity'
  | 'address'
  | 'placeOfBirth'
  | 'placeOfIssue'
  | 'originOfIssue'
  | 'symbols'

export function emptyFields(): Mutable<DocumentFields> {
  return {
    name: null,
    englishName: null,
    surname: null,
    givenname: null,
    surnameCN: null,
    givennameCN: null,
    nameCode: null,
    sex: null,
    birthDate: null,
    idNumber: null,
    passportNo: null,
    nationality: null,
    countryCode: null,
    ethnicity: null,
    address: null,
    placeOfBirth: null,
    issueDate: null,
    expiryDate: null,
    currentIssueDate: null,
    firstIssueDate: null,
    placeOfIssue: null,
    originOfIssue: null,
    isPermanent: null,
    symbols: null,
    raw: {},
  }
}

/** `members` by our names. */
export function toFields(members: OcrMembers, family: DocumentFamily): DocumentFields {
  const fields = emptyFields()
  const raw: Record<string, string> = Object.create(null) as Record<string, string>
  const forms = { dayFirst: isHongKongCard(family) }
  for (const [name, personal] of Object.entries(members)) {
    const text = wellFormed(personal)
    if (isText(name)) fields[name] = text
    else if (!setTyped(fields, { name, text, forms })) raw[name] = text
  }
  fields.raw = raw
  return fields
}

interface Member {
  readonly name: string
  readonly text: string
  readonly forms: { readonly dayFirst: boolean }
}

/** False when the member has no typed field, or its text does not fit: then it belongs into `raw`. */
function setTyped(fields: Mutable<DocumentFields>, { name, text, forms }: Member): boolean {
  switch (name) {
    case 'sex':
      fields.sex = parseSex(text)
      return fields.sex !== 'UNKNOWN'
    case 'isPermanent':
      fields.isPermanent = parseYesNo(text)
      return fields.isPermanent !== null
    case 'firstIssueDate':
      fields.firstIssueDate = parseMonth(text)
      return fields.firstIssueDate !== null
    case 'birthDate':
    case 'expiryDate':
      fields[name] = parseDate(text, forms)
      return fields[name] !== null
    case 'issueDate':
    case 'currentIssueDate':
      fields[name] = parseIssueDate(text, forms)
      return fields[name] !== null
    default:
      return false
  }
}

function isText(name: string): name is TextField {
  return TEXTS.has(name as keyof DocumentFields)
}

/** Half a surrogate pair has no UTF-8 form: it would come out as another text than went in. */
function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed()
}
