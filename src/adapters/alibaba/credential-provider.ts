/** Provides the keys that calls are signed with. One implementation for key files, one for all other sources. */
import type { Credentials } from './sign-v3.ts'

export interface CredentialProvider {
  /**
   * Returns valid keys at once if it has any, null if none can be obtained. Never returns expired keys, never
   * rejects.
   */
  current(): Credentials | null | Promise<Credentials | null>
  /**
   * Reports that the API rejected these keys: the next call fetches them again from their source. Returns at once.
   */
  refused(credentials: Credentials): void
  /** Stops renewing. */
  close(): void
}
