import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createRegistry } from '../../../../src/adapters/registry/registry.ts'
import { registerSchemas } from '../../../../src/adapters/registry/register.ts'
import { loadConfig } from '../../../../src/config.ts'
import { registrySettings } from '../../../../src/app/settings.ts'
import { COMPLETE } from '../../config/environments.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }

test('the registry password is read again for each request', async () => {
  const logins: string[] = []
  const url = await startRegistry((login) => logins.push(login))
  const folder = mkdtempSync(join(tmpdir(), 'checkresult-registry-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'password')
  writeFileSync(file, 'first\n')
  const loaded = loadConfig({
    ...COMPLETE,
    SCHEMA_REGISTRY_URL: url,
    SCHEMA_REGISTRY_USERNAME: 'me',
    SCHEMA_REGISTRY_PASSWORD_FILE: file,
  })
  if (loaded.kind === 'errors') throw new Error(loaded.errors.join('\n'))
  const settings = registrySettings(loaded.config, silent)
  const registry = createRegistry(settings, { registryRequest: () => {} })

  await registry.schemaById(1)
  writeFileSync(file, 'second\n')
  await registry.schemaById(2)
  expect(logins).toEqual(['me:first', 'me:second'])

  writeFileSync(file, 'third\n')
  await expect(
    registerSchemas(settings, { 'verification-completed': 'in', 'verification-result': 'out' }),
  ).rejects.toThrow('The schema registry rejects the login (HTTP 403)')
  expect(logins.at(-1)).toBe('me:third')
})

/** Rejects every request and records its login. */
async function startRegistry(onLogin: (login: string) => void): Promise<string> {
  const server = createServer((request, response) => {
    const [, encoded = ''] = (request.headers.authorization ?? '').split(' ')
    onLogin(Buffer.from(encoded, 'base64').toString())
    request.resume()
    response.writeHead(403).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
