/**
 * The vendor's answer, read: everything that is spelt the vendor's way stands in this file. Total: whatever JSON the body
 * held, a value comes back. Tolerant where the documentation and the samples disagree (objects, JSON in a string, JSON
 * in a string in a string, trailing newlines), strict where a guess would be a verdict: text that is no JSON is never
 * repaired. One part that cannot be read makes the whole document `unreadable`: a result without the customer's edits
 * or without the risk would look as if there were none.
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
  const found = new Found()
  const document = found.part(result['ExtIdInfo'])
  const face = found.part(result['ExtFaceInfo'])
  if (document !== null) readDocument(document, found)
  return {
    requestId,
    passed: textOf(result['Passed']),
    subCode: textOf(result['SubCode']),
    document: found.unreadable ? 'unreadable' : document === null ? 'absent' : found.document(document),
    spoofed: found.spoofed,
    spoofTypes: found.spoofTypes,
    // The FaceLiveness API writes the same member with a capital letter.
    faceAttacked: face === null ? null : yesNo(face['faceAttack'] ?? face['FaceAttack']),
  }
}

/** What the parts of one answer added up to. */
class Found {
  readonly fields = new Collected()
  readonly editedFields = new Collected()
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

const MOST_SIDES = 10

/** What was read of one side may stand in any of these; a later one wins. */
const READ = ['ocrIdInfo', 'ocrIdBackInfo', 'ocrStandardData'] as const

function readDocument(document: Members, found: Found): void {
  readSide(document, found)
  // eKYC_PRO: one object for each side of the document.
  const sides = found.part(document['ocrIdInfoData'])
  if (sides === null) return
  for (const value of Object.values(sides).slice(0, MOST_SIDES)) {
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

const NO_MEMBERS = new Set<string>([...READ, 'ocrIdEditInfo', 'spoofInfo', 'ocrIdPassed', 'docType'])

function membersOnly(side: Members): Members {
  return Object.fromEntries(Object.entries(side).filter(([name]) => !NO_MEMBERS.has(name)))
}

// A result with all of these at their most stays well below a broker's usual limit of 1 MB a record.
const MOST_MEMBERS = 64
const LONGEST_NAME = 64
const LONGEST_TEXT = 1_000

/** OCR members of several parts: later ones win, but an empty text never replaces one that is not. */
class Collected {
  // Without a prototype: a member may be called `constructor`.
  readonly #members = Object.create(null) as Record<string, Personal>
  #count = 0

  add(part: Members): void {
    for (const name of Object.keys(part)) {
      const text = memberText(part[name])
      if (text === null || name.length > LONGEST_NAME || name === '__proto__') continue
      if (this.#members[name] === undefined) {
        if (this.#count === MOST_MEMBERS) continue
        this.#count += 1
      }
      this.#members[name] = text
    }
  }

  members(): OcrMembers | null {
    return this.#count === 0 ? null : this.#members
  }
}

const LONG = 120
/** Long, and without a blank: an image in Base64, or the address of one. Texts of documents have blanks, or no ASCII. */
const NO_WORDS = /^[!-~\r\n]+$/

/** Null for what says nothing: no text, an empty one, a placeholder, an image. */
function memberText(value: unknown): Personal | null {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value) as Personal
  if (typeof value !== 'string') return null
  const text = value.trim()
  if (text === '' || text === '?' || text === '？' || text.length > LONGEST_TEXT) return null
  return text.length > LONG && NO_WORDS.test(text) ? null : (text as Personal)
}

const MOST_ENCODINGS = 2

/** An object, or JSON of one in a string, or in a string in a string. */
function embedded(value: unknown): Members | 'absent' | 'unreadable' {
  let current = value
  for (let depth = 0; typeof current === 'string'; depth += 1) {
    const text = current.trim()
    if (text === '' || text === '**') return 'absent'
    if (depth === MOST_ENCODINGS) return 'unreadable'
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
/** Between the types of a list in a text, be it JSON or not. */
const SEPARATORS = /[\s,;|"[\]]+/

function spoofTypesOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list
    .flatMap((types) => (typeof types === 'string' ? types.split(SEPARATORS) : []))
    .filter((type) => type !== '')
    .slice(0, MOST_SPOOF_TYPES)
}
