/** Every credential source with the vendor's library and real servers on loopback: the behavior common to all of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CredentialProvider } from '../../../../src/adapters/alibaba/credential-provider.ts'
import { createCredentialProvider } from '../../../../src/adapters/alibaba/credentials.ts'
import type { Credentials } from '../../../../src/adapters/alibaba/sign-v3.ts'
import type { CredentialsConfig } from '../../../../src/config/credentials.ts'
import { readTextFile } from '../../../../src/config/environment.ts'
import { Secret } from '../../../../src/config/secret.ts'
import { selfSigned, type KeyPair } from '../../../support/certificates.ts'
import {
  PLAIN,
  STS,
  startCredentialServer,
  type CredentialServer,
  type Keys,
} from '../../../support/credential-servers.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { fakeMetrics } from '../../../support/fakes.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { redirectConnections, type Redirection } from '../../../support/redirect.ts'

const STS_HOST = 'sts.cn-hongkong.aliyuncs.com'
const METADATA_HOST = '100.100.100.200'
const SECRET = 'fictitious-secret'
const ROLE = 'acs:ram::1000:role/fictitious'
const LIFETIME_MS = 3_600_000
const MINUTE_MS = 60_000

interface SourceCase {
  readonly kind: string
  /** The only host that may be called. */
  readonly host: string
  readonly start: (keys: () => Keys) => Promise<CredentialServer>
  readonly config: (port: number, home: string) => CredentialsConfig
}

let certificate: KeyPair
let home: string
const trusted = tls.getCACertificates()

beforeAll(async () => {
  certificate = await selfSigned([STS_HOST])
  tls.setDefaultCACertificates([certificate.cert])
  home = mkdtempSync(join(tmpdir(), 'checkresult-home-'))
  writeFileSync(join(home, 'token'), 'fictitious.oidc.token')
  mkdirSync(join(home, '.aliyun'))
  vi.stubEnv('HOME', home)
  // Other sources that the vendor's default chain would try.
  vi.stubEnv('ALIBABA_CLOUD_ECS_METADATA', 'another-role')
  vi.stubEnv('ALIBABA_CLOUD_CREDENTIALS_URI', 'http://another.example/')
})

afterAll(() => {
  tls.setDefaultCACertificates(trusted)
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})

const SOURCES: readonly SourceCase[] = [
  {
    kind: 'oidc',
    host: STS_HOST,
    start: (keys) => startCredentialServer({ shape: STS, keys, certificate }),
    config: () => ({
      kind: 'oidc',
      roleArn: ROLE,
      oidcProviderArn: 'acs:ram::1000:oidc-provider/fictitious',
      oidcTokenFile: join(home, 'token'),
      roleSessionName: 'test',
      stsRegion: 'cn-hongkong',
      vpcEndpoint: false,
    }),
  },
  {
    kind: 'ecs-role',
    host: METADATA_HOST,
    start: (keys) => startCredentialServer({ shape: PLAIN, keys }),
    config: () => ({ kind: 'ecs-role', roleName: 'fictitious', imdsV1Disabled: true }),
  },
  {
    kind: 'uri',
    host: '127.0.0.1',
    start: (keys) => startCredentialServer({ shape: PLAIN, keys }),
    config: (port) => ({ kind: 'uri', uri: new Secret(`http://127.0.0.1:${port}/keys?token=${SECRET}`) }),
  },
  {
    kind: 'profile',
    host: STS_HOST,
    start: (keys) => startCredentialServer({ shape: STS, keys, certificate }),
    config: () => {
      writeProfile({
        mode: 'RamRoleArn',
        access_key_id: 'fictitious-id',
        access_key_secret: SECRET,
        ram_role_arn: ROLE,
        sts_region: 'cn-hongkong',
      })
      return { kind: 'profile', name: 'production' }
    },
  },
]

function writeProfile(profile: Readonly<Record<string, string>>): void {
  const profiles = [
    { name: 'default', mode: 'AK', access_key_id: 'not-this-one', access_key_secret: SECRET },
    { name: 'production', ...profile },
  ]
  writeFileSync(join(home, '.aliyun', 'config.json'), JSON.stringify({ current: 'default', profiles }))
}

async function idOf(provider: CredentialProvider): Promise<string | null> {
  return (await provider.current())?.accessKeyId ?? null
}

/** The credentials that are available without waiting; fails the test if a caller would have to wait. */
function availableWithoutWait(provider: CredentialProvider): Credentials | null {
  const current = provider.current()
  if (current instanceof Promise) throw new Error('The credentials are not available without waiting.')
  return current
}

describe.each(SOURCES)('credentials from $kind', ({ host, start, config }) => {
  let clock: FakeClock
  let server: CredentialServer
  let redirection: Redirection
  let log: ReturnType<typeof recordingLog>
  let metrics: ReturnType<typeof fakeMetrics>
  let issued: number
  const providers: CredentialProvider[] = []

  beforeEach(async () => {
    clock = new FakeClock()
    issued = 0
    log = recordingLog()
    metrics = fakeMetrics()
    server = await start(() => ({
      AccessKeyId: `fictitious-${(issued += 1)}`,
      AccessKeySecret: SECRET,
      SecurityToken: `${SECRET}-token`,
      Expiration: new Date(clock.epochMs() + LIFETIME_MS).toISOString().replace('.000Z', 'Z'),
    }))
    redirection = redirectConnections(() => ({ [host]: server.port }))
  })

  afterEach(async () => {
    for (const provider of providers.splice(0)) provider.close()
    redirection.restore()
    await server.close()
  })

  function open(): CredentialProvider {
    const provider = createCredentialProvider({
      config: config(server.port, home),
      readText: readTextFile,
      clock,
      log,
      metrics,
    })
    providers.push(provider)
    return provider
  }

  test('are requested once for any number of waiting calls', async () => {
    const provider = open()
    const all = await Promise.all(Array.from({ length: 10 }, async () => provider.current()))
    expect(new Set(all)).toEqual(
      new Set([{ accessKeyId: 'fictitious-1', accessKeySecret: SECRET, securityToken: `${SECRET}-token` }]),
    )
    expect(server.requests).toBe(1)
    expect(metrics.of('credentialRefresh')).toEqual([['ok']])
    expect(metrics.of('credentialsExpire')).toEqual([[clock.epochMs() + LIFETIME_MS]])
  })

  test('are fetched after a failed startup once their source works, and from no other source', async () => {
    server.down = true
    const provider = open()
    expect([await idOf(provider), await idOf(provider)]).toEqual([null, null])
    server.down = false
    expect(await idOf(provider)).toMatch(/^fictitious-\d/)
    expect(new Set(redirection.hosts)).toEqual(new Set([host]))
    expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info'])
  })

  test('are renewed before they expire while no call waits', async () => {
    const provider = open()
    await provider.current()
    await clock.advance(LIFETIME_MS - 15 * MINUTE_MS - 1)
    expect([availableWithoutWait(provider)?.accessKeyId, server.requests]).toEqual(['fictitious-1', 1])
    await clock.advance(1)
    await expect.poll(() => availableWithoutWait(provider)?.accessKeyId).toBe('fictitious-2')
    expect(server.requests).toBe(2)
  })

  test('stay in use while renewal fails, with one warning, but never after they have expired', async () => {
    const provider = open()
    await provider.current()
    server.down = true
    await clock.advance(LIFETIME_MS - 15 * MINUTE_MS)
    await expect.poll(() => server.requests).toBe(2)
    await expect.poll(() => metrics.of('credentialRefresh')).toHaveLength(2)
    await clock.advance(MINUTE_MS)
    await expect.poll(() => metrics.of('credentialRefresh').length).toBeGreaterThan(2)
    expect(availableWithoutWait(provider)?.accessKeyId).toBe('fictitious-1')
    expect(log.lines.map(({ level }) => level)).toEqual(['warn'])

    await clock.advance(14 * MINUTE_MS - 1)
    expect(availableWithoutWait(provider)?.accessKeyId).toBe('fictitious-1')
    await clock.advance(1)
    expect([await idOf(provider), await idOf(provider)]).toEqual([null, null])
    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'error'])

    server.down = false
    expect(await idOf(provider)).toMatch(/^fictitious-\d/)
    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'error', 'info'])
  })

  test('are fetched again for the next call after the API has rejected them', async () => {
    const provider = open()
    const first = await provider.current()
    if (first !== null) provider.refused(first)
    const next = provider.current()
    expect(next).toBeInstanceOf(Promise)
    expect((await next)?.accessKeyId).toBe('fictitious-2')
    expect(availableWithoutWait(provider)?.accessKeyId).toBe('fictitious-2')
  })

  test('never appear in a log line, and neither do responses or URLs of their source', async () => {
    server.down = true
    await idOf(open())
    const lines = JSON.stringify(log.lines)
    expect(lines).toContain('Alibaba Cloud credentials')
    for (const hidden of [SECRET, 'fictitious', host, 'InternalError']) expect(lines).not.toContain(hidden)
  })
})

test('an OIDC role is requested with the current token in the file', async () => {
  const clock = new FakeClock()
  const [source] = SOURCES
  const server = await startCredentialServer({
    shape: STS,
    certificate,
    keys: () => ({
      AccessKeyId: 'fictitious-1',
      AccessKeySecret: SECRET,
      SecurityToken: SECRET,
      Expiration: new Date(clock.epochMs() + LIFETIME_MS).toISOString(),
    }),
  })
  const redirection = redirectConnections(() => ({ [STS_HOST]: server.port }))
  const provider = createCredentialProvider({
    config: source?.config(server.port, home) ?? { kind: 'profile', name: '' },
    readText: readTextFile,
    clock,
    log: recordingLog(),
    metrics: fakeMetrics(),
  })
  try {
    const first = await provider.current()
    writeFileSync(join(home, 'token'), 'rotated.oidc.token')
    if (first !== null) provider.refused(first)
    await provider.current()
    expect(server.seen).toHaveLength(2)
    expect(server.seen[0]).toMatch(/AssumeRoleWithOIDC.*OIDCToken=fictitious\.oidc\.token/)
    expect(server.seen[1]).toMatch(/AssumeRoleWithOIDC.*OIDCToken=rotated\.oidc\.token/)
  } finally {
    provider.close()
    redirection.restore()
    await server.close()
  }
})

test('a profile with a static key is read again if it is used after a minute', async () => {
  const clock = new FakeClock()
  writeProfile({ mode: 'AK', access_key_id: 'fictitious-old', access_key_secret: SECRET })
  const metrics = fakeMetrics()
  const provider = createCredentialProvider({
    config: { kind: 'profile', name: 'production' },
    readText: readTextFile,
    clock,
    log: recordingLog(),
    metrics,
  })
  expect(await provider.current()).toEqual({ accessKeyId: 'fictitious-old', accessKeySecret: SECRET })
  writeProfile({ mode: 'AK', access_key_id: 'fictitious-new', access_key_secret: SECRET })
  await clock.advance(MINUTE_MS)
  expect(clock.timers).toBe(0)
  expect(await provider.current()).toMatchObject({ accessKeyId: 'fictitious-old' })
  await expect.poll(async () => (await provider.current())?.accessKeyId).toBe('fictitious-new')
  expect(metrics.of('credentialsExpire').at(-1)).toEqual([null])
})
