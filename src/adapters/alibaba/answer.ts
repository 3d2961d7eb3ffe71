/**
 * The vendor's answer, read: everything that is spelled the vendor's way stands in this file. Total: whatever JSON the body
 * held, a value comes back. Tolerant where the documentation and the samples disagree (objects, JSON in a string, JSON
 * in a string in a string, trailing newlines), strict where a guess would be a verdict: text that is no JSON is never
 * repaired. One part that cannot be read makes the whole document `unreadable`: a result without the customer's edits
 * or without the risk would look as if there were none.
 */
import type { CheckAnswer, DocumentAnswer, OcrMembers, Personal } from '../../core/answer.ts'
import { isKnownMember, OTHER_MEMBER } from '../../core/normalize/members.ts'

export interface ParsedBody {
  /** `Code`; empty when there is none. */
  readonly code: string
  readonly requestId: string | null
  /** Null when the body has no `Result`, or one that cannot be read. */
  readonly answer: CheckAnswer | null
}

type Members = Readonly<Record<string, unknown>>

/** Members in small letters come from gateways before the API. */
export function parseAnswer(body: unknown): ParsedBody {
  if (!isMembers(body)) return { code: '', requestId: null, answer: null }
  const requestId = textOf(body['RequestId'] ?? body['requestId'])
  const result = embedded(body['Result'] ?? body['result'])
  return {
    code: textOf(body['Code'] ?? body['code']) ?? '',
    requestId,
    answer: typeof result === 'string' ? null : parseResult(result, requestId),
  }
}

function parseResult(result: Members, requestId: string | null): CheckAnswer {
  const found = new Found()
  const document = found.part(result['ExtIdInfo'])
  const face = found.part(result['ExtFaceInfo'])
  if (document !== null) readDocument(document, found)
  return {
    requestId,
    passed: passedOf(result['Passed'] ?? result['passed']),
    subCode: textOf(result['SubCode'] ?? result['subCode']),
    document: found.unreadable ? 'unreadable' : document === null ? 'absent' : found.document(document),
    spoofed: found.spoofed,
    spoofTypes: found.spoofTypes,
    // The FaceLiveness API writes the same member with a capital letter.
    faceAttacked: face === null ? null : yesNo(face['faceAttack'] ?? face['FaceAttack']),
    droppedMembers: found.dropped,
  }
}

/** What the parts of one answer added up to. */
class Found {
  /** Members that could not be kept; empty almost always. */
  readonly dropped: string[] = []
  readonly fields = new Collected(this.dropped)
  readonly editedFields = new Collected(this.dropped)
  /** True when any side of the document is. */
  spoofed: boolean | null = null
  spoofTypes: readonly string[] = []
  unreadable = false

  /** Null when the part was not sent, is empty, or cannot be read; the last is noted. */
  part(value: unknown): Members | null {
    const part = embedded(value)
    if (part === 'unreadable') this.unreadable = true
    return typeof part === 'string' ? null : part
  }

  spoof(spoof: Members): void {
    const spoofed = yesNo(spoof['spoofResult'])
    if (spoofed !== null) this.spoofed = this.spoofed === true || spoofed
    const types = spoofTypesOf(spoof['spoofType'])
    if (types.length > 0) this.spoofTypes = [...this.spoofTypes, ...types]
  }

  document(document: Members): DocumentAnswer {
    return {
      ocrPassed: yesNo(document['ocrIdPassed']),
      fields: this.fields.members(),
      editedFields: this.editedFields.members(),
    }
  }
}

const MAX_SIDES = 10

/** What was read of one side may stand in any of these; a later one wins. */
const READ = ['ocrIdInfo', 'ocrIdBackInfo', 'ocrStandardData'] as const

function readDocument(document: Members, found: Found): void {
  readSide(document, found)
  // eKYC_PRO: one object for each side of the document.
  const sides = found.part(document['ocrIdInfoData'])
  if (sides === null) return
  const all = Object.values(sides)
  if (all.length > MAX_SIDES) found.dropped.push(OTHER_MEMBER)
  for (const value of all.slice(0, MAX_SIDES)) {
    const side = found.part(value)
    if (side === null) continue
    // Seen both ways: the members in the side's own ocrIdInfo, and right in the side.
    if (side['ocrIdInfo'] === undefined) found.fields.add(membersOnly(side))
    readSide(side, found)
  }
}

function readSide(side: Members, found: Found): void {
  for (const name of READ) {
    const part = found.part(side[name])
    if (part !== null) found.fields.add(part)
  }
  const edited = found.part(side['ocrIdEditInfo'])
  if (edited !== null) found.editedFields.add(edited)
  const spoof = found.part(side['spoofInfo'])
  if (spoof !== null) found.spoof(spoof)
}

const NO_MEMBERS = new Set<string>([
  ...READ,
  'ocrIdEditInfo',
  'spoofInfo',
  'ocrIdPassed',
  'docType',
  'idImage',
  'idBackImage',
])

function membersOnly(side: Members): Members {
  return Object.fromEntries(Object.entries(side).filter(([name]) => !NO_MEMBERS.has(name)))
}

// A result with all of these at their most stays well below a broker's usual limit of 1 MB a record.
const MAX_UNKNOWN_MEMBERS = 64
const MAX_UNKNOWN_CHARS = 32_000
const MAX_NAME = 64
const MAX_TEXT = 1_000

/**
 * OCR members of several parts: later ones win, but an empty text never replaces one that is not. Unknown members have a
 * bounded room of their own, so they never take that of known ones.
 */
class Collected {
  // Without a prototype: a member may be called `constructor`.
  readonly #members = Object.create(null) as Record<string, Personal>
  readonly #dropped: string[]
  #count = 0
  #unknown = 0
  #unknownChars = 0

  constructor(dropped: string[]) {
    this.#dropped = dropped
  }

  add(part: Members): void {
    for (const name of Object.keys(part)) {
      const isKnown = isKnownMember(name)
      const text = memberText(part[name], isKnown)
      if (text === null) continue
      if (text === TOO_MUCH || !(isKnown || this.#hasRoom(name, text))) {
        this.#dropped.push(isKnown ? name : OTHER_MEMBER)
        continue
      }
      if (this.#members[name] === undefined) this.#count += 1
      this.#members[name] = text
    }
  }

  members(): OcrMembers | null {
    return this.#count === 0 ? null : this.#members
  }

  #hasRoom(name: string, text: string): boolean {
    if (name.length > MAX_NAME || name === '__proto__') return false
    const isNew = this.#members[name] === undefined
    if (isNew && this.#unknown === MAX_UNKNOWN_MEMBERS) return false
    if (this.#unknownChars + text.length > MAX_UNKNOWN_CHARS) return false
    this.#unknown += isNew ? 1 : 0
    this.#unknownChars += text.length
    return true
  }
}

const LONG = 120
/** Long, and without a blank: an image in Base64, or the address of one. Texts of documents have blanks, or no ASCII. */
const NO_WORDS = /^[!-~\r\n]+$/
/** Says something that cannot be kept. */
const TOO_MUCH = Symbol('too much')

/** Null for what says nothing: no text, an empty one, a placeholder. */
function memberText(value: unknown, isKnown: boolean): Personal | typeof TOO_MUCH | null {
  const plain = plainOf(value)
  if (plain === null || plain === undefined) return null
  if (typeof plain === 'number' || typeof plain === 'boolean') return String(plain) as Personal
  if (typeof plain !== 'string') return TOO_MUCH
  const text = plain.trim()
  if (text === '' || text === '?' || text === '？') return null
  if (text.length > MAX_TEXT) return TOO_MUCH
  return !isKnown && text.length > LONG && NO_WORDS.test(text) ? TOO_MUCH : (text as Personal)
}

/** The vendor's newer products wrap some texts: `{"value": "...", "confidence": 0.9}`, or a list of one. */
function plainOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const [only] = value as readonly unknown[]
    return value.length === 0 ? null : value.length === 1 && typeof only !== 'object' ? only : value
  }
  const members = value as Members
  const wrapped = members['value'] ?? members['text']
  if (wrapped !== undefined && typeof wrapped !== 'object') return wrapped
  return Object.keys(members).length === 0 ? null : value
}

const MAX_ENCODINGS = 2

/** An object, or JSON of one in a string, or in a string in a string. */
function embedded(value: unknown): Members | 'absent' | 'unreadable' {
  let current = value
  for (let depth = 0; typeof current === 'string'; depth += 1) {
    const text = current.trim()
    if (text === '' || text === '**') return 'absent'
    if (depth === MAX_ENCODINGS) return 'unreadable'
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

const MAX_CODE = 200

function textOf(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : ''
  return text !== '' && text.length <= MAX_CODE ? text : null
}

/** Null for what is neither passed, nor failed, nor pending. */
function passedOf(value: unknown): CheckAnswer['passed'] {
  const passed = yesNo(value)
  if (passed !== null) return passed ? 'Y' : 'N'
  return typeof value === 'string' && value.trim().toUpperCase() === 'P' ? 'P' : null
}

function yesNo(value: unknown): boolean | null {
  if (value === 'Y' || value === true) return true
  if (value === 'N' || value === false) return false
  if (typeof value !== 'string') return null
  switch (value.trim().toUpperCase()) {
    case 'Y':
    case 'TRUE':
      return true
    case 'N':
    case 'FALSE':
      return false
    default:
      return null
  }
}

const MAX_SPOOF_TYPES = 20
/** Between the types of a list in a text, be it JSON or not. */
const SEPARATORS = /[\s,;|"[\]]+/

function spoofTypesOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list
    .flatMap((types) => (typeof types === 'string' ? types.split(SEPARATORS) : []))
    .filter((type) => type !== '')
    .slice(0, MAX_SPOOF_TYPES)
}
