/**
 * The answer to one CheckResult call in our own terms. Adapters create these values, `classify` decides what follows
 * from them, and `normalize` turns a final answer into a result. Nothing here throws.
 */

/** A text that may identify a person. The brand keeps it from being used as a plain string in a log line or a label. */
export type Personal = string & { readonly __personal: true }

/** OCR members by the vendor's names (camelCase or snake_case), with text values. Empty members are left out. */
export type OcrMembers = Readonly<Record<string, Personal>>

export interface DocumentAnswer {
  /** `ocrIdPassed`; null if it is missing. */
  readonly ocrPassed: boolean | null
  /** `ocrIdInfo`: the fields read from the document; null if missing or empty. */
  readonly fields: OcrMembers | null
  /** `ocrIdEditInfo`: the fields as edited by the customer; null if missing or empty. */
  readonly editedFields: OcrMembers | null
}

export interface CheckAnswer {
  readonly requestId: string | null
  /** `Result.Passed`: passed, failed, or pending. Null if it is missing or has another value. */
  readonly passed: 'Y' | 'N' | 'P' | null
  /** `Result.SubCode` as sent, for example `200` or `212`. Its meaning depends on the product. */
  readonly subCode: string | null
  /**
   * The content of ExtIdInfo. `absent`: not sent. `unreadable`: it, a part of it or ExtFaceInfo was sent but is not
   * valid JSON.
   */
  readonly document: DocumentAnswer | 'absent' | 'unreadable'
  /** `spoofInfo.spoofResult`: true for `Y`, false for `N`, otherwise null. */
  readonly spoofed: boolean | null
  /** `spoofInfo.spoofType` as sent. It may be filled although `spoofed` is false, so it is not a verdict. */
  readonly spoofTypes: readonly string[]
  /** `ExtFaceInfo.faceAttack`: true for `Y`, false for `N`, null if there was no face check. */
  readonly faceAttacked: boolean | null
  /** OCR members with a value that could not be kept: the name if this version knows it, otherwise `other`. */
  readonly droppedMembers: readonly string[]
}

/** An answer with a final decision on the verification. */
export type FinalAnswer = CheckAnswer & { readonly passed: 'Y' | 'N' }

/** Why a call returned no readable answer. A closed set, also used as the `code` label of the requests metric. */
export const NO_ANSWER = [
  'timeout',
  'reset',
  'connection-refused',
  'dns',
  'tls',
  'too-large',
  'not-json',
  'network',
  /** The call was not made because there were no credentials to sign it with. */
  'no-credentials',
] as const
export type NoAnswer = (typeof NO_ANSWER)[number]

export type Reply =
  | {
      readonly kind: 'answer'
      readonly status: number
      /** The body's `Code`; empty if the body has none. */
      readonly code: string
      readonly requestId: string | null
      /** How long the API asks to wait, limited to a maximum; null if it does not say or is not understood. */
      readonly retryAfterMs: number | null
      /** Null if the body has no `Result`. */
      readonly answer: CheckAnswer | null
    }
  | {
      readonly kind: 'no-answer'
      readonly failure: NoAnswer
      /** Null if the call failed before a status line was received. */
      readonly status: number | null
      readonly retryAfterMs: number | null
    }
