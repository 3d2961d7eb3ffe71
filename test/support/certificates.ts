/** A test certificate authority and the certificates it signs. Everything is PEM. */
import { generate } from 'selfsigned'

export interface KeyPair {
  readonly cert: string
  readonly key: string
}

const DAY_MS = 86_400_000

export async function createAuthority(name = 'Test authority'): Promise<KeyPair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  })
  return { cert, key }
}

/** A self-signed certificate for servers with these names. Clients must trust the certificate itself. */
export async function selfSigned(names: readonly string[]): Promise<KeyPair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) },
    ],
  })
  return { cert, key }
}

export interface Issue {
  readonly name: string
  /** Expired a day ago. */
  readonly expired?: boolean
}

/** For servers and clients on 127.0.0.1. */
export async function issue(authority: KeyPair, { name, expired = false }: Issue): Promise<KeyPair> {
  const notAfterDate = new Date(Date.now() + (expired ? -DAY_MS : DAY_MS))
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 2 * DAY_MS),
    notAfterDate,
    ca: authority,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  })
  return { cert, key }
}
