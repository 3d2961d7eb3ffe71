/** A certificate authority of the test's own, and what it signs. Everything is PEM. */
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

/** Signed by itself, for servers by these names; whoever is to trust it is given the certificate. */
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
  /** Ended a day ago. */
  readonly expired?: boolean
}

/** For both ends of a connection by 127.0.0.1. */
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
