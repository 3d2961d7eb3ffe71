/** The fields of a document, and comparisons of whole documents. Pure. */
import type { DocumentFields } from '../records/schema-types.ts'

export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** All fields except `raw`, which holds whatever the others cannot. */
export type FieldName = Exclude<keyof DocumentFields, 'raw'>

export type MutableFields = Mutable<Omit<DocumentFields, 'raw'>> & { readonly raw: Record<string, string> }

export function emptyFields(): MutableFields {
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
    // No prototype, because a member may be called `constructor`.
    raw: Object.create(null) as Record<string, string>,
  }
}

export const FIELD_NAMES = Object.keys(emptyFields()).filter((name): name is FieldName => name !== 'raw')

/** The fields of `edited` that differ from `read`; null if there are none. */
export function changedFields(edited: DocumentFields, read: DocumentFields | null): DocumentFields | null {
  const changed: MutableFields = { ...edited, raw: emptyFields().raw }
  for (const name of FIELD_NAMES) if (edited[name] === read?.[name]) changed[name] = null
  for (const [name, text] of Object.entries(edited.raw)) {
    if (read?.raw[name] !== text) changed.raw[name] = text
  }
  const any = FIELD_NAMES.some((name) => changed[name] !== null) || Object.keys(changed.raw).length > 0
  return any ? changed : null
}
