/** What hands out the keys calls are signed with. Its implementations: one per way of `credentials.ts`. */
import type { Credentials } from './sign-v3.ts'

export interface CredentialProvider {
  /** At once while there are keys at hand; null when none are to be had. Never expired ones. Does not reject. */
  current(): Credentials | null | Promise<Credentials | null>
  /** The API has refused these: the next call gets them from their source anew. Returns at once. */
  refused(credentials: Credentials): void
  /** Renews nothing any more. */
  close(): void
}
