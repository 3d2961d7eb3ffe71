/**
 * Parses the vendor's answer: everything with the vendor's spelling is in this file. Total: it returns a value for
 * any JSON. It is tolerant where the documentation and the samples disagree (objects, JSON in a string, JSON in a
 * string in a string, trailing newlines), and strict where guessing could change the result: text that is not JSON
 * is never repaired. If one part cannot be parsed, the whole document is `unreadable`, because a result without the
 * customer's edits or the risk would look as if there were none.
 */
import type { CheckAnswer, DocumentAnswer, OcrMembers, Personal } from '../../core/calls/answer.ts'
import { isKnownMember, OTHER_MEMBER } from '../../core/normalize/members.ts'

export interface ParsedBody {
  /** `Code`; empty when there is none. */
  readonly code: string
  readonly requestId: string | null
  /** Null if the body has no `Result`, or one that cannot be parsed. */
  readonly answer: CheckAnswer | null
}

type Members = Readonly<Record<string, unknown>>

/** Gateways in front of the API send member names in lower case. */
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
    // The FaceLiveness API capitalizes the same member.
    faceAttacked: face === null ? null : yesNo(face['faceAttack'] ?? face['FaceAttack']),
    droppedMembers: found.dropped,
  }
}

/** Collects what the parts of one answer contain. */
class Found {
  /** Members that could not be kept. Almost always empty. */
  readonly dropped: string[] = []
  readonly fields = new Collected(this.dropped)
  readonly editedFields = new Collected(this.dropped)
  /** True if any side of the document is spoofed. */
  spoofed: boolean | null = null
  spoofTypes: readonly string[] = []
  unreadable = false

  /** Null if the part is missing, empty or unreadable. An unreadable part sets `unreadable`. */
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

/** Members that may hold the OCR result of one side. Later ones take precedence. */
const READ = ['ocrIdInfo', 'ocrIdBackInfo', 'ocrStandardData'] as const

function readDocument(document: Members, found: Found): void {
  readSide(document, found)
  // eKYC_PRO sends one object for each side of the document.
  const sides = found.part(document['ocrIdInfoData'])
  if (sides === null) return
  const all = Object.values(sides)
  if (all.length > MAX_SIDES) found.dropped.push(OTHER_MEMBER)
  for (const value of all.slice(0, MAX_SIDES)) {
    const side = found.part(value)
    if (side === null) continue
    // Both forms occur: the members inside the side's own `ocrIdInfo`, and directly in the side.
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

// With all of these at their maximum, a result stays well below the usual limit of 1 MB per record.
const MAX_UNKNOWN_MEMBERS = 64
const MAX_UNKNOWN_CHARS = 32_000
const MAX_NAME = 64
const MAX_TEXT = 1_000

/**
 * OCR members of several parts. Later ones replace earlier ones, except that an empty text never replaces another
 * text. Unknown members have a separate bounded budget, so they never displace known ones.
 */
class Collected {
  // Without a prototype, because a member may be called `constructor`.
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
/**
 * Long and without spaces: a Base64 image or its URL. Texts on documents contain spaces or non-ASCII characters.
 */
const NO_WORDS = /^[!-~\r\n]+$/
/** The member has a value, but it cannot be kept. */
const TOO_MUCH = Symbol('too much')

/** Null if the member has no information: no text, an empty text or a placeholder. */
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

/**
 * The vendor's newer products wrap some texts: `{"value": "...", "confidence": 0.9}`, or a list with one element.
 */
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

/** Accepts an object, JSON in a string, or JSON in a string in a string. */
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

/** Null if the value is not passed, failed or pending. */
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
/** Separates the types of a list in a text, whether or not it is JSON. */
const SEPARATORS = /[\s,;|"[\]]+/

function spoofTypesOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list
    .flatMap((types) => (typeof types === 'string' ? types.split(SEPARATORS) : []))
    .filter((type) => type !== '')
    .slice(0, MAX_SPOOF_TYPES)
}
