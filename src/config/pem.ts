/** Whether PEM texts are what they should be: whole certificates, and a key that belongs to them. Never throws. */
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const BEGIN = /-----BEGIN CERTIFICATE-----/g

/** One certificate or several; a file that is being written ends within one. */
export function areCertificates(text: string): boolean {
  const blocks = text.match(BLOCK) ?? []
  if (blocks.length === 0 || blocks.length !== text.match(BEGIN)?.length) return false
  return succeeds(() => blocks.map((block) => new X509Certificate(block)))
}

/** Also false for a key that asks for a passphrase: nobody could type it. */
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
