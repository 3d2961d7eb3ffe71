import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCredentialProvider } from '../../../../src/adapters/alibaba/credentials.ts'
import type { CredentialsConfig } from '../../../../src/config/credentials.ts'
import { readTextFile } from '../../../../src/config/environment.ts'
import { Secret } from '../../../../src/config/secret.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { fakeMetrics } from '../../../support/fakes.ts'
import { recordingLog } from '../../../support/recording-log.ts'

const SECRET = 'fictitious-secret'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkresult-key-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function open(config: CredentialsConfig) {
  const clock = new FakeClock()
  const log = recordingLog()
  const metrics = fakeMetrics()
  const provider = createCredentialProvider({ config, readText: readTextFile, clock, log, metrics })
  return { provider, clock, log, metrics }
}

describe('access key provider', () => {
  test('an access key from the environment is available at once and never changes, and has its token if there is one', async () => {
    const key = { accessKeyId: new Secret('fictitious'), accessKeySecret: new Secret(SECRET) }
    const { provider, clock } = open({ kind: 'sts', ...key, securityToken: new Secret('token') })
    const first = provider.current()
    expect(first).toEqual({ accessKeyId: 'fictitious', accessKeySecret: SECRET, securityToken: 'token' })
    await clock.advance(60_000)
    expect(provider.current()).toBe(first)
    expect(open({ kind: 'static', ...key }).provider.current()).toEqual({
      accessKeyId: 'fictitious',
      accessKeySecret: SECRET,
    })
  })

  test('an access key from files is read again for the next call after a rejection', async () => {
    const file = join(folder, 'secret')
    writeFileSync(file, `${SECRET}-old`)
    const { provider, log, metrics } = open({
      kind: 'static',
      accessKeyId: new Secret('fictitious'),
      accessKeySecret: new Secret(`${SECRET}-old`, file),
    })
    const first = await provider.current()
    writeFileSync(file, `${SECRET}-new`)
    if (first !== null) provider.refused(first)
    expect(provider.current()).toEqual({ accessKeyId: 'fictitious', accessKeySecret: `${SECRET}-new` })
    writeFileSync(file, '')
    // Signed before the new key arrived, so it does not count.
    if (first !== null) provider.refused(first)
    expect(log.lines.map(({ level }) => level)).toEqual(['info'])
    expect(metrics.of('credentialRefresh')).toEqual([['ok']])
    expect(JSON.stringify(log.lines)).not.toContain(SECRET)
  })

  test('an access key from files stays in use while the files cannot be read, which is counted and logged', async () => {
    const file = join(folder, 'secret')
    const { provider, log, metrics } = open({
      kind: 'static',
      accessKeyId: new Secret('fictitious'),
      accessKeySecret: new Secret(SECRET, file),
    })
    writeFileSync(file, '')
    const first = await provider.current()
    if (first !== null) provider.refused(first)
    expect(provider.current()).toBe(first)
    expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
    expect(metrics.of('credentialRefresh')).toEqual([['failed']])
  })
})
