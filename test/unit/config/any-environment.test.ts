import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { SETTING_NAMES, aboutSetting, fileVariant } from '../../../src/config/settings.ts'
import { COMPLETE } from './environments.ts'

describe('any environment', () => {
  const names = SETTING_NAMES.flatMap((name) => {
    const variant = fileVariant(name)
    return variant === null ? [name] : [name, variant]
  })
  const name = fc.oneof(
    fc.constantFrom<string>(...names),
    fc.tuple(fc.constantFrom('KAFKA_', 'CHECKRESULT_', 'OPS_'), fc.string()).map((parts) => parts.join('')),
    fc.constantFrom('__proto__', 'constructor'),
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('0', '1', '10s', 'true', 'unlimited', 'http://127.0.0.1:1', 'http://[', '//', 'a:1,b:2'),
  )
  const environments = fc.dictionary(name, fc.option(text, { nil: undefined }), { maxKeys: 40 })

  test('loading never throws and reports each error in one line', () => {
    fc.assert(
      fc.property(environments, text, (env, content) => {
        const loaded = loadConfig({ ...env }, () => ({ kind: 'text', text: content }))
        if (loaded.kind === 'ok') return
        expect(loaded.errors.length).toBeGreaterThan(0)
        for (const error of loaded.errors) expect(error).not.toMatch(/\p{Cc}/u)
      }),
    )
  })

  test('a secret is never shown, valid or not, in its own variable or in the one for its path', () => {
    const mark = 'S3cr3t-Mark'
    const hidden = names.filter(
      (one) => !SETTING_NAMES.some((setting) => setting === one && aboutSetting(setting).holds === 'text'),
    )
    const marked = fc
      .tuple(fc.string(), fc.constantFrom(' ', '\n', '@', '?', ''), fc.string())
      .map(([before, sign, after]) => `${before}${sign}${mark}${after}`)
      // A value that can only be a path is shown.
      .filter((one) => !one.trim().startsWith('/'))
    const secrets = fc.dictionary(fc.constantFrom(...hidden), marked)
    fc.assert(
      fc.property(secrets, marked, fc.boolean(), (env, content, readable) => {
        const loaded = loadConfig({ ...COMPLETE, ...env }, () =>
          readable ? { kind: 'text', text: content } : { kind: 'unreadable', problem: 'it is not there' },
        )
        expect(`${JSON.stringify(loaded)} ${inspect(loaded, { depth: null })}`).not.toContain(mark)
      }),
    )
  })
})
