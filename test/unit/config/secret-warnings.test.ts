import { describe, expect, test } from 'vitest'
import { SECRET, warningsOf } from './environments.ts'

const NO_SECRET = { ALIBABA_CLOUD_ACCESS_KEY_SECRET: undefined }

describe('a secret', () => {
  test.each([
    [`"${SECRET}"`, 'quotation mark'],
    [`'${SECRET}'`, 'quotation mark'],
  ])('in quotation marks gives a warning without the secret: %s', (secret, what) => {
    const [warning, ...others] = warningsOf({ ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret })
    expect(others).toEqual([])
    expect(warning).toContain(`The value of ALIBABA_CLOUD_ACCESS_KEY_SECRET begins and ends with a ${what}`)
    expect(warning).not.toContain(SECRET)
  })

  test('in a file is checked too, and the file is named by its variable', () => {
    const env = { ...NO_SECRET, ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: '/secret' }
    expect(warningsOf(env, { '/secret': `"${SECRET}"\n` })).toEqual([
      expect.stringMatching(
        /^The file of ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE begins and ends with a quotation/,
      ),
    ])
  })

  test.each([`${SECRET} `, ` ${SECRET}`])('with a blank at an end gives a warning', (secret) => {
    const login = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me' }
    expect(warningsOf({ ...login, KAFKA_SASL_PASSWORD: secret })).toEqual([
      expect.stringMatching(/^The value of KAFKA_SASL_PASSWORD begins or ends with a blank/),
    ])
  })

  test('as it should be gives none, with quotation marks inside or one at an end only, too', () => {
    for (const secret of [SECRET, `a"b'c`, `"${SECRET}`, `"${SECRET}'`, '"']) {
      expect(warningsOf({ ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret })).toEqual([])
    }
  })
})
