/**
 * Converts OCR members to typed fields. `raw` keeps the rest. By the vendor's name: members without a field, and a
 * second member for a field that is already set. By the field's name: a text that does not fit the field, or that ended
 * with the fillers of a machine-readable zone. Pure and total.
 */
import type { OcrMembers } from '../calls/answer.ts'
import type { DocumentFields } from '../records/schema-types.ts'
import { emptyFields, type FieldName, type MutableFields } from './document-fields.ts'
import { fieldOf, namesInOrder, type NameForms } from './members.ts'
import {
  monthOf,
  parseDate,
  parseIssueDate,
  parseMonth,
  parseSex,
  parseYesNo,
  wellFormed,
  type DateForms,
} from './values.ts'

export function toFields(members: OcrMembers, forms: DateForms & NameForms): DocumentFields {
  const fields = emptyFields()
  for (const member of namesInOrder(members)) {
    const original = wellFormed(members[member] ?? '')
    const field = fieldOf(member, forms)
    const text = field === undefined ? original : withoutFillers(original)
    if (field === undefined) fields.raw[wellFormed(member)] = original
    else if (isFilled(fields, field)) keepOther(fields, { member, field, text, original })
    else if (text === '' || !setField(fields, field, { text, forms }) || text !== original) {
      fields.raw[field] = original
    }
  }
  return fields
}

/** A machine-readable zone pads fields with `<`. */
function withoutFillers(text: string): string {
  let end = text.length
  while (end > 0 && (text[end - 1] === '<' || (end < text.length && text[end - 1] === ' '))) end -= 1
  return text.slice(0, end)
}

function isFilled(fields: MutableFields, field: FieldName): boolean {
  return fields[field] !== null && fields[field] !== 'UNKNOWN'
}

interface Other {
  readonly member: string
  readonly field: FieldName
  readonly text: string
  readonly original: string
}

function keepOther(fields: MutableFields, { member, field, text, original }: Other): void {
  if (fields[field] !== text) fields.raw[member] = original
}

interface Reading {
  readonly text: string
  readonly forms: DateForms
}

/** False if the field cannot hold all of the text's information. */
function setField(fields: MutableFields, field: FieldName, { text, forms }: Reading): boolean {
  switch (field) {
    case 'sex':
      fields.sex = parseSex(text)
      return fields.sex !== 'UNKNOWN'
    case 'isPermanent':
      fields.isPermanent = parseYesNo(text)
      return fields.isPermanent !== null
    case 'birthDate':
    case 'expiryDate':
      fields[field] = parseDate(text, forms)
      return fields[field] !== null
    case 'issueDate':
    case 'currentIssueDate':
      fields[field] = parseIssueDate(text, forms)
      return fields[field] !== null
    case 'firstIssueDate':
      return setMonth(fields, { text, forms })
    default:
      fields[field] = text
      return true
  }
}

/** A full date also provides a month, but the field has no room for its day. */
function setMonth(fields: MutableFields, { text, forms }: Reading): boolean {
  fields.firstIssueDate = parseMonth(text, forms)
  if (fields.firstIssueDate !== null) return true
  const date = parseDate(text, forms)
  if (date !== null) fields.firstIssueDate = monthOf(date)
  return false
}
