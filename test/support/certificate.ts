/** A certificate for names that are ours in a test only, made by Java's keytool, which the stack needs anyway. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findJava } from '../../dev/stack/java.ts'

const run = promisify(execFile)
const PASSPHRASE = 'fictitious'

export interface Certificate {
  /** For `https.createServer`. */
  readonly server: { readonly pfx: Buffer; readonly passphrase: string }
  /** PEM, for whoever is to trust it. */
  readonly ca: string
}

export async function makeCertificate(names: readonly string[]): Promise<Certificate> {
  const java = await findJava()
  const keytool = java === 'java' ? 'keytool' : join(dirname(java), 'keytool')
  const directory = await mkdtemp(join(tmpdir(), 'checkresult-certificate-'))
  try {
    const store = ['-keystore', join(directory, 'store.p12'), '-storepass', PASSPHRASE, '-alias', 'test']
    const san = `san=${names.map((name) => `dns:${name}`).join(',')}`
    const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', 'CN=test', '-ext', san]
    await run(keytool, ['-genkeypair', ...store, ...key, '-storetype', 'PKCS12', '-validity', '2'])
    const { stdout } = await run(keytool, ['-exportcert', '-rfc', ...store])
    const pfx = await readFile(join(directory, 'store.p12'))
    return { server: { pfx, passphrase: PASSPHRASE }, ca: stdout }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
