/**
 * What one CheckResult call brought back, in our words. Adapters build these values, `classify` judges them,
 * `normalize` turns a final answer into a result. Nothing here throws.
 */

/** A text that may identify a person. Branded so that it cannot slip into a log line or a label as a plain string. */
export type Personal = string & { readonly __personal: true }

/** OCR members as the vendor names them (camelCase or snake_case), values as text, empty ones left out. */
export type OcrMembers = Readonly<Record<string, Personal>>

export interface DocumentAnswer {
  /** `ocrIdPassed`; null when the vendor left it out. */
  readonly ocrPassed: boolean | null
  /** `ocrIdInfo`: what was read off the document; null when absent or empty. */
  readonly fields: OcrMembers | null
  /** `ocrIdEditInfo`: what the customer submitted after editing; null when absent or empty. */
  readonly editedFields: OcrMembers | null
}

export interface CheckAnswer {
  readonly requestId: string | null
  /** `Result.Passed`: passed, failed, or pending. Null if it is missing or says none of the three. */
  readonly passed: 'Y' | 'N' | 'P' | null
  /** `Result.SubCode` as sent, e.g. `200`, `212`; meaning depends on the product. */
  readonly subCode: string | null
  /** What ExtIdInfo held. `absent`: not sent. `unreadable`: it, a part of it or ExtFaceInfo was sent but is no JSON. */
  readonly document: DocumentAnswer | 'absent' | 'unreadable'
  /** `spoofInfo.spoofResult`: true for `Y`, false for `N`, null when the vendor did not say. */
  readonly spoofed: boolean | null
  /** `spoofInfo.spoofType` as sent. May be filled although `spoofed` is false: never a verdict of its own. */
  readonly spoofTypes: readonly string[]
  /** `ExtFaceInfo.faceAttack`: true for `Y`, false for `N`, null when there was no face check. */
  readonly faceAttacked: boolean | null
  /** OCR members that said something and could not be kept: their names where this version knows them, else `other`. */
  readonly droppedMembers: readonly string[]
}

/** An answer that decides the verification. */
export type FinalAnswer = CheckAnswer & { readonly passed: 'Y' | 'N' }

/** Why a call brought no readable answer. A closed set: also the `code` label of the requests metric. */
export const NO_ANSWER = [
  'timeout',
  'reset',
  'refused',
  'dns',
  'tls',
  'too-large',
  'not-json',
  'network',
  /** Not even asked: there was nothing to sign with. */
  'no-credentials',
] as const
export type NoAnswer = (typeof NO_ANSWER)[number]

export type Reply =
  | {
      readonly kind: 'answer'
      readonly status: number
      /** The body's `Code`; empty when the body had none. */
      readonly code: string
      readonly requestId: string | null
      /** How long the API asks to wait, within bounds; null if it does not say or cannot be understood. */
      readonly retryAfterMs: number | null
      /** Null when the body had no `Result`. */
      readonly answer: CheckAnswer | null
    }
  | {
      readonly kind: 'no-answer'
      readonly failure: NoAnswer
      /** Null if the call failed before the status line came. */
      readonly status: number | null
      readonly retryAfterMs: number | null
    }
