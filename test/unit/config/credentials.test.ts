import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { credentialsOrigin } from '../../../src/config/credentials.ts'
import { COMPLETE, SECRET, configOf, errorOf, type Env } from './environments.ts'

describe('credentials settings', () => {
  const NO_KEY = { ALIBABA_CLOUD_ACCESS_KEY_ID: undefined, ALIBABA_CLOUD_ACCESS_KEY_SECRET: undefined }
  const OIDC = {
    ALIBABA_CLOUD_ROLE_ARN: 'acs:ram::1:role/r',
    ALIBABA_CLOUD_OIDC_PROVIDER_ARN: 'acs:ram::1:oidc-provider/p',
    ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/token',
  }
  const TOKEN = { '/token': 'header.payload.signature' }

  test.each([
    ['static', {}],
    ['sts', { ALIBABA_CLOUD_SECURITY_TOKEN: SECRET }],
    ['oidc', { ...NO_KEY, ...OIDC }],
    ['profile', { ...NO_KEY, ALIBABA_CLOUD_PROFILE: 'production' }],
    ['ecs-role', { ...NO_KEY, ALIBABA_CLOUD_ECS_METADATA: 'role' }],
    ['uri', { ...NO_KEY, ALIBABA_CLOUD_CREDENTIALS_URI: 'http://127.0.0.1:3000/x' }],
    ['static', { ...OIDC, ALIBABA_CLOUD_PROFILE: 'production' }],
    ['oidc', { ...NO_KEY, ...OIDC, ALIBABA_CLOUD_ECS_METADATA: 'role' }],
  ])("selects one credential source in the vendor's order: %s", (kind, env: Env) => {
    expect(configOf(env, TOKEN).credentials.kind).toBe(kind)
  })

  test('OIDC keeps the path of the token file, not its content', () => {
    expect(
      configOf({ ...NO_KEY, ...OIDC, ALIBABA_CLOUD_STS_REGION: 'cn-hongkong' }, TOKEN).credentials,
    ).toEqual({
      kind: 'oidc',
      roleArn: 'acs:ram::1:role/r',
      oidcProviderArn: 'acs:ram::1:oidc-provider/p',
      oidcTokenFile: '/token',
      roleSessionName: null,
      stsRegion: 'cn-hongkong',
      vpcEndpoint: false,
    })
  })

  test.each([
    [{ ALIBABA_CLOUD_SECURITY_TOKEN: SECRET }, /not renewed when it expires$/],
    [{ ALIBABA_CLOUD_SECURITY_TOKEN_FILE: '/token' }, /read again when its files change$/],
  ])('describes whether a temporary key is renewed: %j', (env: Env, words) => {
    expect(credentialsOrigin(configOf(env, TOKEN).credentials)).toMatch(words)
  })

  test('never shows the credentials URI, because it may contain a token', () => {
    const text = `//127.0.0.1/?token=${SECRET}`
    expect(errorOf({ ALIBABA_CLOUD_CREDENTIALS_URI: text })).toMatch(
      /^ALIBABA_CLOUD_CREDENTIALS_URI is invalid \(value not shown\)\. Expected/,
    )
    const loaded = loadConfig({ ...COMPLETE, ALIBABA_CLOUD_CREDENTIALS_URI: `http:${text}` })
    expect(loaded.kind).toBe('ok')
    expect(JSON.stringify(loaded)).not.toContain(SECRET)
  })

  test('lists every credential source if none is set', () => {
    const error = errorOf(NO_KEY)
    expect(error).toMatch(/^No Alibaba Cloud credentials are set\. Expected one of/)
    for (const way of ['ACCESS_KEY_ID', 'OIDC_TOKEN_FILE', 'PROFILE', 'ECS_METADATA', 'CREDENTIALS_URI']) {
      expect(error).toContain(`ALIBABA_CLOUD_${way}`)
    }
  })

  test.each([
    [
      { ...NO_KEY, ALIBABA_CLOUD_ACCESS_KEY_ID: 'id' },
      /ACCESS_KEY_ID is set, but ALIBABA_CLOUD_ACCESS_KEY_SECRET is not\. Set both, or neither\.$/,
    ],
    [
      { ...NO_KEY, ALIBABA_CLOUD_SECURITY_TOKEN: SECRET },
      /SECURITY_TOKEN is set, but ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are not\. Set all of them, or none\.$/,
    ],
    [{ ...NO_KEY, ...OIDC, ALIBABA_CLOUD_ROLE_ARN: '' }, /are set, but ALIBABA_CLOUD_ROLE_ARN is not/],
    [
      { ALIBABA_CLOUD_ROLE_ARN: 'acs:ram::1:role/r' },
      /ROLE_ARN is set, but ALIBABA_CLOUD_OIDC_PROVIDER_ARN and/,
    ],
  ])('an incomplete credential source reports what is missing: %j', (env: Env, message) => {
    expect(errorOf(env, TOKEN)).toMatch(message)
  })
})
