/** Keys for the client in tests, all of them fictitious. */
import type { CredentialProvider } from '../../src/adapters/alibaba/credential-provider.ts'
import type { Credentials } from '../../src/adapters/alibaba/sign-v3.ts'

export interface HandedOut extends CredentialProvider {
  /** What the API refused, in order. */
  readonly refusals: readonly Credentials[]
}

/** Hands out what it is told to. */
export function handingOut(current: CredentialProvider['current']): HandedOut {
  const refusals: Credentials[] = []
  return {
    current,
    refusals,
    refused: (credentials) => void refusals.push(credentials),
    close: () => undefined,
  }
}
