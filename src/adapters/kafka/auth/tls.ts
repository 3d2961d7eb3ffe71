/**
 * The certificates for connections to the brokers, read again for each new connection. A certificate and its key
 * are replaced one after the other: while they do not belong together, the last good ones stay in use, and one
 * warning is logged.
 */
import { createSecureContext, type SecureContext } from 'node:tls'
import { readTextFile, withoutLineEnd } from '../../../config/environment.ts'
import { areCertificates, belongTogether } from '../../../config/pem.ts'
import type { Secret } from '../../../config/secret.ts'
import type { Log } from '../../../ports.ts'

/** Validated together with the settings. */
export interface TlsFiles {
  readonly ca: Secret | null
  readonly cert: Secret | null
  readonly key: Secret | null
}

interface Texts {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** The returned function never throws. It creates a new context only if a file has changed. */
export function createTlsContext(files: TlsFiles, log: Pick<Log, 'warn'>): () => SecureContext {
  let texts: Texts = {
    ca: files.ca?.reveal(),
    cert: files.cert?.reveal(),
    key: files.key?.reveal(),
  }
  let context = createSecureContext(texts)
  let isBad = false
  return () => {
    const found = readAgain(files)
    const isGood = found !== null && isWhole(found)
    if (!isGood && !isBad) {
      log.warn(
        'The TLS files cannot be read again or do not belong together. The last good ones stay in use. Check KAFKA_TLS_CA_FILE, KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE.',
      )
    }
    isBad = !isGood
    if (isGood && !isSame(found, texts)) {
      texts = found
      context = createSecureContext(texts)
    }
    return context
  }
}

function readAgain({ ca, cert, key }: TlsFiles): Texts | null {
  const read = [ca, cert, key].map((one) => (one === null ? undefined : textOf(one)))
  if (read.includes(null)) return null
  const [caText, certText, keyText] = read.map((text) => text ?? undefined)
  return { ca: caText, cert: certText, key: keyText }
}

function textOf(secret: Secret): string | null {
  if (secret.file === null) return secret.reveal()
  const read = readTextFile(secret.file)
  return read.kind === 'text' ? withoutLineEnd(read.text) : null
}

function isWhole({ ca, cert, key }: Texts): boolean {
  return (
    (ca === undefined || areCertificates(ca)) &&
    (cert === undefined || areCertificates(cert)) &&
    (cert === undefined || key === undefined || belongTogether(cert, key))
  )
}

function isSame(one: Texts, other: Texts): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key
}
