import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCredentialSource } from '../../../../src/adapters/alibaba/credentials.ts'
import type { CredentialsConfig } from '../../../../src/config/credentials.ts'
import { readTextFile } from '../../../../src/config/given.ts'
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
  const source = createCredentialSource({ config, readText: readTextFile, clock, log, metrics })
  return { source, clock, log, metrics }
}

describe('an access key', () => {
  test('of the environment is at hand at once and the same for ever, with its token where it has one', async () => {
    const key = { accessKeyId: new Secret('fictitious'), accessKeySecret: new Secret(SECRET) }
    const { source, clock } = open({ kind: 'sts', ...key, securityToken: new Secret('token') })
    const first = source.current()
    expect(first).toEqual({ accessKeyId: 'fictitious', accessKeySecret: SECRET, securityToken: 'token' })
    await clock.advance(60_000)
    expect(source.current()).toBe(first)
    expect(open({ kind: 'static', ...key }).source.current()).toEqual({
      accessKeyId: 'fictitious',
      accessKeySecret: SECRET,
    })
  })

  test('in files that was refused is what the files hold now for the next call', async () => {
    const file = join(folder, 'secret')
    writeFileSync(file, `${SECRET}-old`)
    const { source, log, metrics } = open({
      kind: 'static',
      accessKeyId: new Secret('fictitious'),
      accessKeySecret: new Secret(`${SECRET}-old`, file),
    })
    const first = await source.current()
    writeFileSync(file, `${SECRET}-new`)
    if (first !== null) source.refused(first)
    expect(source.current()).toEqual({ accessKeyId: 'fictitious', accessKeySecret: `${SECRET}-new` })
    writeFileSync(file, '')
    // Signed before the new key was there: says nothing about it.
    if (first !== null) source.refused(first)
    expect(log.lines.map(({ level }) => level)).toEqual(['info'])
    expect(metrics.of('credentialRefresh')).toEqual([['ok']])
    expect(JSON.stringify(log.lines)).not.toContain(SECRET)
  })

  test('in files stays in use while they cannot be read, which is counted and said', async () => {
    const file = join(folder, 'secret')
    const { source, log, metrics } = open({
      kind: 'static',
      accessKeyId: new Secret('fictitious'),
      accessKeySecret: new Secret(SECRET, file),
    })
    writeFileSync(file, '')
    const first = await source.current()
    if (first !== null) source.refused(first)
    expect(source.current()).toBe(first)
    expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
    expect(metrics.of('credentialRefresh')).toEqual([['failed']])
  })
})
