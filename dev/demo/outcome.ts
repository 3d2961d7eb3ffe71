/** The outcome of an event: expected from its scenario, or read back. Used to compare the two. */
import type { DocumentFamily, VerificationResult } from '../../src/core/records/schema-types.ts'

export type Outcome =
  | {
      readonly kind: 'result'
      readonly verdict: string
      readonly risky: boolean | null
      /** Null if there is no document. */
      readonly family: DocumentFamily | null
    }
  | { readonly kind: 'dead-letter'; readonly reason: string }

export function outcomeOf({ verdict, risk, document }: VerificationResult): Outcome {
  return { kind: 'result', verdict, risky: risk.detected, family: document?.family ?? null }
}

/** The summary row that counts this outcome. */
export function rowOf(outcome: Outcome): string {
  if (outcome.kind === 'dead-letter') return `Dead letter: ${outcome.reason}`
  if (outcome.family === null) return `${capitalized(outcome.verdict)}, no readable document`
  return `${capitalized(outcome.verdict)}${outcome.risky === true ? ', signs of forgery' : ''}`
}

/** The full text, for a message about a difference. */
export function describeOutcome(outcome: Outcome): string {
  if (outcome.kind === 'dead-letter') return `dead letter ${outcome.reason}`
  const risk = outcome.risky === null ? 'risk unknown' : outcome.risky ? 'risky' : 'not risky'
  return `${outcome.verdict}, ${risk}, ${outcome.family ?? 'no document'}`
}

export const FAMILY_NAMES: Readonly<Record<DocumentFamily, string>> = {
  HONG_KONG_IDENTITY_CARD: 'Hong Kong identity card',
  EXIT_ENTRY_PERMIT_HONG_KONG_MACAO: 'Exit-Entry Permit to Hong Kong and Macao',
  MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS: 'Mainland Travel Permit, Hong Kong and Macao',
  PASSPORT: 'Passport',
  MACAO_IDENTITY_CARD: 'Macao identity card',
  MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS: 'Mainland Travel Permit, Taiwan',
  MAINLAND_RESIDENT_IDENTITY_CARD: 'Mainland resident identity card',
  OTHER: 'Another document',
}

function capitalized(word: string): string {
  return word.charAt(0) + word.slice(1).toLowerCase()
}
