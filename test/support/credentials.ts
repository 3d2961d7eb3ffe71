/** Keys for the client in tests, all of them fictitious. */
import type { CredentialSource } from '../../src/adapters/alibaba/credential-source.ts'
import type { Credentials } from '../../src/adapters/alibaba/sign-v3.ts'

export interface HandedOut extends CredentialSource {
  /** What the API refused, in order. */
  readonly refusals: readonly Credentials[]
}

/** Hands out what it is told to. */
export function handingOut(current: CredentialSource['current']): HandedOut {
  const refusals: Credentials[] = []
  return {
    current,
    refusals,
    refused: (credentials) => void refusals.push(credentials),
    close: () => undefined,
  }
}
