/**
 * The vendor's answer, read: everything that is spelt the vendor's way stands in this file. Total: whatever the body
 * holds, a value comes back. Tolerant where the documentation and the samples disagree (objects, JSON in a string, JSON
 * in a string in a string, trailing newlines), strict where a guess would be a verdict: text that is no JSON is
 * `unreadable`, never repaired.
 */
import type { CheckAnswer, DocumentAnswer, OcrMembers, Personal } from '../../core/answer.ts'

export interface ParsedBody {
  /** `Code`; empty when there is none. */
  readonly code: string
  readonly requestId: string | null
  /** Null when the body has no `Result`. */
  readonly answer: CheckAnswer | null
}

type Members = Readonly<Record<string, unknown>>

export function parseAnswer(body: unknown): ParsedBody {
  if (!isMembers(body)) return { code: '', requestId: null, answer: null }
  const requestId = textOf(body['RequestId'])
  const result = body['Result']
  return {
    code: textOf(body['Code']) ?? '',
    requestId,
    answer: isMembers(result) ? parseResult(result, requestId) : null,
  }
}

function parseResult(result: Members, requestId: string | null): CheckAnswer {
  const document = embedded(result['ExtIdInfo'])
  const face = embedded(result['ExtFaceInfo'])
  const spoof = isMembers(document) ? embedded(document['spoofInfo']) : 'absent'
  return {
    requestId,
    passed: textOf(result['Passed']),
    subCode: textOf(result['SubCode']),
    document: isMembers(document) ? parseDocument(document) : document,
    spoofed: isMembers(spoof) ? yesNo(spoof['spoofResult']) : null,
    spoofTypes: isMembers(spoof) ? texts(spoof['spoofType']) : [],
    faceAttacked: isMembers(face) ? yesNo(face['faceAttack'] ?? face['FaceAttack']) : null,
  }
}

function parseDocument(document: Members): DocumentAnswer | 'unreadable' {
  const read = embedded(document['ocrIdInfo'])
  const edited = embedded(document['ocrIdEditInfo'])
  const back = embedded(document['ocrIdBackInfo'])
  const sides = embedded(document['ocrIdInfoData'])
  const standard = embedded(document['ocrStandardData'])
  // A document whose every member is a riddle is no document; one side that cannot be read does not spoil the rest.
  if (read === 'unreadable') return 'unreadable'
  const fields = new Map<string, Personal>()
  for (const part of [read, back, ...sidesOf(sides), standard]) if (isMembers(part)) collect(part, fields)
  const editedFields = new Map<string, Personal>()
  if (isMembers(edited)) collect(edited, editedFields)
  return {
    ocrPassed: yesNo(document['ocrIdPassed']),
    fields: fields.size === 0 ? null : toMembers(fields),
    editedFields: editedFields.size === 0 ? null : toMembers(editedFields),
  }
}

/** `ocrIdInfoData` of eKYC_PRO: members by side of the document. */
function sidesOf(sides: Embedded): Members[] {
  return isMembers(sides) ? Object.values(sides).map(embedded).filter(isMembers) : []
}

const MOST_MEMBERS = 100
const LONGEST_NAME = 100
const LONGEST_TEXT = 2_000

/** Later parts win, but an empty text never replaces one that is not. Images and whatever else is no short text are left out. */
function collect(part: Members, into: Map<string, Personal>): void {
  for (const [name, value] of Object.entries(part)) {
    const text = memberText(value)
    if (text === null || name.length > LONGEST_NAME || (into.size >= MOST_MEMBERS && !into.has(name)))
      continue
    into.set(name, text)
  }
}

function memberText(value: unknown): Personal | null {
  const text =
    typeof value === 'string'
      ? value.trim()
      : typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : ''
  return text === '' || text.length > LONGEST_TEXT ? null : (text as Personal)
}

/** Without a prototype: a member may be called `__proto__`. */
function toMembers(members: ReadonlyMap<string, Personal>): OcrMembers {
  const record = Object.create(null) as Record<string, Personal>
  for (const [name, text] of members) record[name] = text
  return record
}

type Embedded = Members | 'absent' | 'unreadable'

/** An object, or JSON of one in a string, or in a string in a string. */
function embedded(value: unknown): Embedded {
  let current = value
  for (let depth = 0; typeof current === 'string'; depth += 1) {
    const text = current.trim()
    if (text === '' || text === '**') return 'absent'
    if (depth === 2) return 'unreadable'
    try {
      current = JSON.parse(text)
    } catch {
      return 'unreadable'
    }
  }
  if (current === undefined || current === null) return 'absent'
  if (!isMembers(current)) return 'unreadable'
  return Object.keys(current).length === 0 ? 'absent' : current
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const LONGEST_CODE = 200

function textOf(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && text !== '' && text.length <= LONGEST_CODE ? text : null
}

function yesNo(value: unknown): boolean | null {
  if (value === 'Y' || value === 'y' || value === true) return true
  return value === 'N' || value === 'n' || value === false ? false : null
}

const MOST_SPOOF_TYPES = 20

function texts(value: unknown): readonly string[] {
  const list = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? (value as unknown[]) : []
  return list
    .flatMap((one) => (typeof one === 'string' && one.trim() !== '' ? [one.trim()] : []))
    .slice(0, MOST_SPOOF_TYPES)
}
