/** Checks PEM texts: whether certificates are complete, and whether a key belongs to its certificate. Never throws. */
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const BEGIN = /-----BEGIN CERTIFICATE-----/g

/** One or more complete certificates: a file that is still being written may end in the middle of one. */
export function areCertificates(text: string): boolean {
  const blocks = text.match(BLOCK) ?? []
  if (blocks.length === 0 || blocks.length !== text.match(BEGIN)?.length) return false
  return succeeds(() => blocks.map((block) => new X509Certificate(block)))
}

/** Also false for an encrypted key, because nobody could type its passphrase. */
export function belongTogether(cert: string, key: string): boolean {
  return succeeds(() => createSecureContext({ cert, key }))
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}
