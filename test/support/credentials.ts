/** Fictitious credentials for the client in tests. */
import type { CredentialProvider } from '../../src/adapters/alibaba/credential-provider.ts'
import type { Credentials } from '../../src/adapters/alibaba/sign-v3.ts'

export interface HandedOut extends CredentialProvider {
  /** The credentials that the API rejected, in order. */
  readonly refusals: readonly Credentials[]
}

/** Provides the given credentials. */
export function handingOut(current: CredentialProvider['current']): HandedOut {
  const refusals: Credentials[] = []
  return {
    current,
    refusals,
    refused: (credentials) => void refusals.push(credentials),
    close: () => undefined,
  }
}
