import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createTlsContext, type TlsFiles } from '../../../../../src/adapters/kafka/auth/tls.ts'
import { Secret } from '../../../../../src/config/secret.ts'
import { createAuthority, issue, type KeyPair } from '../../../../support/certificates.ts'

let authority: KeyPair
let first: KeyPair
let second: KeyPair
let folder: string
let warnings: string[]

const log = { warn: (message: string) => void warnings.push(message) }

beforeAll(async () => {
  authority = await createAuthority()
  first = await issue(authority, { name: 'first' })
  second = await issue(authority, { name: 'second' })
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkresult-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  warnings = []
})

test('a TLS context is created again only after a file has changed', () => {
  const current = createTlsContext(files(first), log)
  const before = current()
  expect(current()).toBe(before)
  files(second)
  expect(current()).not.toBe(before)
})

test('new connections use the new certificate', async () => {
  const current = createTlsContext(files(first), log)
  expect(await nameShown(current)).toBe('first')
  files(second)
  expect(await nameShown(current)).toBe('second')
  expect(warnings).toEqual([])
})

test('mismatched or partly written files keep the last valid ones in use and are logged once', async () => {
  const current = createTlsContext(files(first), log)
  write('tls.crt', second.cert)
  expect(await nameShown(current)).toBe('first')
  write('tls.crt', second.cert.slice(0, 200))
  expect(await nameShown(current)).toBe('first')
  rmSync(join(folder, 'ca.crt'))
  expect(await nameShown(current)).toBe('first')
  expect(warnings).toEqual([expect.stringContaining('last good ones stay in use')])

  files(second)
  expect(await nameShown(current)).toBe('second')
})

test('without files, public authorities are trusted and nothing is read', () => {
  const current = createTlsContext({ ca: null, cert: null, key: null }, log)
  expect(current()).toBe(current())
  expect(warnings).toEqual([])
})

function files({ cert, key }: KeyPair): TlsFiles {
  return { ca: write('ca.crt', authority.cert), cert: write('tls.crt', cert), key: write('tls.key', key) }
}

function write(name: string, text: string): Secret {
  const path = join(folder, name)
  writeFileSync(path, text)
  return new Secret(text.trimEnd(), path)
}

/** The certificate name that the other end sees. */
async function nameShown(current: ReturnType<typeof createTlsContext>): Promise<string> {
  const { cert, key } = await issue(authority, { name: 'server' })
  const server = createServer({ cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const seen = once(server, 'secureConnection')
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: '127.0.0.1', port, secureContext: current() })
  const [peer] = (await seen) as [ReturnType<typeof connect>]
  const name = String(peer.getPeerCertificate().subject.CN)
  socket.destroy()
  peer.destroy()
  server.close()
  return name
}
