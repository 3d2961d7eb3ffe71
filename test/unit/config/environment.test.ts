import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { COMPLETE, SECRET, configOf, errorOf } from './environments.ts'

describe('settings from files', () => {
  test('reads a secret from a file without its final line break', () => {
    const env = {
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: undefined,
      ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: '/run/secrets/key',
    }
    const { credentials } = configOf(env, { '/run/secrets/key': `${SECRET}\n` })
    expect(credentials.kind === 'static' && credentials.accessKeySecret.reveal()).toBe(SECRET)
  })

  test('a secret from a file knows its path so that it can be read again; one from a variable has no path', () => {
    const env = {
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: undefined,
      ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: '/run/secrets/key',
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'user',
      KAFKA_SASL_PASSWORD_FILE: '/run/secrets/password',
    }
    const contents = { '/run/secrets/key': SECRET, '/run/secrets/password': SECRET }
    const { credentials, kafka } = configOf(env, contents)
    expect(credentials).toMatchObject({
      kind: 'static',
      accessKeyId: { file: null },
      accessKeySecret: { file: '/run/secrets/key' },
    })
    expect(kafka.sasl).toMatchObject({ password: { file: '/run/secrets/password' } })
  })

  test('rejects a secret that is set both as a variable and as a file', () => {
    expect(errorOf({ ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: '/run/secrets/key' })).toMatch(
      /^ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE are both set/,
    )
  })

  test('an unreadable file is reported with its path', () => {
    const env = { ALIBABA_CLOUD_ACCESS_KEY_SECRET: undefined, ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: '/gone' }
    expect(errorOf(env)).toMatch(/^ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE is "\/gone"\. .+ it is not there\.$/)
  })

  test('a secret value in a variable that expects a path is not shown', () => {
    const env = { ALIBABA_CLOUD_ACCESS_KEY_SECRET: undefined, ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: SECRET }
    expect(errorOf(env)).toMatch(/^ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE is not an absolute path\. Expected/)
  })

  test('the content of a rejected file is not shown', () => {
    const error = errorOf({ KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: '/ca' }, { '/ca': SECRET })
    expect(error).toMatch(/^KAFKA_TLS_CA_FILE is "\/ca"\. Expected the path of a PEM file/)
    expect(error).not.toContain(SECRET)
  })

  test('reads regular files and rejects missing files, directories and large files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkresult-config-'))
    try {
      const path = join(folder, 'secret')
      writeFileSync(path, `${SECRET}\n`)
      expect(load(path).kind).toBe('ok')
      writeFileSync(path, 'x'.repeat(65 * 1024))
      expect(inspect(load(path))).toContain('larger than 64 KiB')
      expect(inspect(load(folder))).toContain('it is not a regular file')
      expect(inspect(load(`${path}.gone`))).toContain('ENOENT')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

function load(file: string) {
  return loadConfig({
    ...COMPLETE,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: undefined,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: file,
  })
}
