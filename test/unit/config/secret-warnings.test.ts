import { describe, expect, test } from 'vitest'
import { SECRET, warningsOf } from './environments.ts'

const NO_SECRET = { ALIBABA_CLOUD_ACCESS_KEY_SECRET: undefined }

describe('warnings about secrets', () => {
  test.each([
    [`"${SECRET}"`, 'quotation mark'],
    [`'${SECRET}'`, 'quotation mark'],
  ])('a secret in quotation marks gives a warning that does not show it: %s', (secret, what) => {
    const [warning, ...others] = warningsOf({ ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret })
    expect(others).toEqual([])
    expect(warning).toContain(`The value of ALIBABA_CLOUD_ACCESS_KEY_SECRET begins and ends with a ${what}`)
    expect(warning).not.toContain(SECRET)
  })

  test('a user name in quotation marks gives a warning', () => {
    const login = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_PASSWORD: SECRET }
    expect(warningsOf({ ...login, KAFKA_SASL_USERNAME: '"u"' })).toEqual([
      expect.stringMatching(
        /^The value of KAFKA_SASL_USERNAME begins and ends .+ taken as part of the value\. Remove both/,
      ),
    ])
  })

  test('a secret from a file is checked as well, and the warning names its variable', () => {
    const env = { ...NO_SECRET, ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: '/secret' }
    expect(warningsOf(env, { '/secret': `"${SECRET}"\n` })).toEqual([
      expect.stringMatching(
        /^The file of ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE begins and ends with a quotation/,
      ),
    ])
  })

  test.each([`${SECRET} `, ` ${SECRET}`])(
    'a secret with leading or trailing whitespace gives a warning',
    (secret) => {
      const login = { KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me' }
      expect(warningsOf({ ...login, KAFKA_SASL_PASSWORD: secret })).toEqual([
        expect.stringMatching(/^The value of KAFKA_SASL_PASSWORD begins or ends with a blank/),
      ])
    },
  )

  test('a secret with quotation marks inside or at one end only gives no warning', () => {
    for (const secret of [SECRET, `a"b'c`, `"${SECRET}`, `"${SECRET}'`, '"']) {
      expect(warningsOf({ ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret })).toEqual([])
    }
  })
})
