import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { renewedSecret } from '../../../src/adapters/renewed-secret.ts'
import { Secret } from '../../../src/config/secret.ts'

let file: string
let warnings: unknown[]

const log = { warn: (message: string, fields?: object) => void warnings.push([message, fields]) }

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'checkresult-secret-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  file = join(folder, 'password')
  warnings = []
})

test('a secret without a file does not change', () => {
  expect(renewedSecret(new Secret('first'), 'KAFKA_SASL_PASSWORD', log)()).toBe('first')
})

test('a file is read each time the secret is used', () => {
  writeFileSync(file, 'first\n')
  const current = renewedSecret(new Secret('first', file), 'KAFKA_SASL_PASSWORD', log)
  expect(current()).toBe('first')
  writeFileSync(file, 'second\n')
  expect(current()).toBe('second')
  expect(warnings).toEqual([])
})

test('a missing, empty or invalid file keeps the last valid secret in use and is logged once per period', () => {
  writeFileSync(file, 'second')
  const current = renewedSecret(new Secret('first', file), 'KAFKA_SASL_PASSWORD', log)
  current()
  for (const bad of ['', '\n', 'two\nlines']) {
    writeFileSync(file, bad)
    expect(current()).toBe('second')
  }
  rmSync(file)
  expect(current()).toBe('second')
  expect(warnings).toEqual([
    [
      expect.stringContaining('secret file of KAFKA_SASL_PASSWORD again. The last good value stays in use'),
      { reason: 'KAFKA_SASL_PASSWORD' },
    ],
  ])

  writeFileSync(file, 'third')
  expect(current()).toBe('third')
  rmSync(file)
  current()
  expect(warnings).toHaveLength(2)
  expect(JSON.stringify(warnings)).not.toMatch(/second|third/)
})
