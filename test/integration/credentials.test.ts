import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type ExpectStatic } from 'vitest'
import { metricSum, type ServiceProcess } from '../../dev/harness/service.ts'
import { PLAIN, startCredentialServer } from '../support/credential-servers.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { SIMULATOR_KEY, startRun } from '../support/run.ts'

const EVENTS = 40
const CLOSED = 'checkresult_circuit_open{reason="credentials"}'
const NO_KEY = { ALIBABA_CLOUD_ACCESS_KEY_ID: '', ALIBABA_CLOUD_ACCESS_KEY_SECRET: '' }

async function untilClosed(replica: ServiceProcess, expect: ExpectStatic): Promise<void> {
  await expect.poll(async () => metricSum(await replica.metrics(), CLOSED), { timeout: 20_000 }).toBe(1)
}

// Concurrent, because both wait seconds for the probe of a circuit breaker.
test.concurrent(
  'rotating a rejected secret in its file closes the circuit breaker without a restart',
  async ({ expect, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'checkresult-rotated-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    // Like a secret mounted by Kubernetes: a link to a link, of which the middle one is replaced.
    const secrets = { old: 'fictitious-retired-secret', new: SIMULATOR_KEY.accessKeySecret }
    for (const [name, secret] of Object.entries(secrets)) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'secret'), secret)
    }
    symlinkSync('old', join(folder, '..data'))
    symlinkSync(join('..data', 'secret'), join(folder, 'secret'))
    const run = await startRun({
      settings: {
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: '',
        ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE: join(folder, 'secret'),
      },
    })
    onTestFinished(run.close)
    const replica = await run.startReplica()
    const sent = await run.sendFresh(EVENTS)
    await untilClosed(replica, expect)
    expect(run.simulator.report().callsByCode['SignatureDoesNotMatch']).toBeGreaterThan(0)

    symlinkSync('new', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    await run.untilOut(sent)
    expect(metricSum(await replica.metrics(), 'checkresult_credential_refreshes_total{outcome="ok"}')).toBe(1)
    expect(await replica.stop()).toBe(0)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
    expect(run.results()).toHaveLength(EVENTS)
    for (const secret of Object.values(secrets)) expect(replica.output()).not.toContain(secret)
  },
)

test.concurrent(
  'credentials that expire while their source is down open the circuit breaker, and new ones close it',
  async ({ expect, onTestFinished }) => {
    const securityToken = 'fictitious-session-token'
    const lifetimeMs = 6_000
    const source = await startCredentialServer({
      shape: PLAIN,
      keys: () => ({
        AccessKeyId: SIMULATOR_KEY.accessKeyId,
        AccessKeySecret: SIMULATOR_KEY.accessKeySecret,
        SecurityToken: securityToken,
        Expiration: new Date(Date.now() + lifetimeMs).toISOString(),
      }),
    })
    onTestFinished(() => source.close())
    const run = await startRun({
      simulator: { credentials: { ...SIMULATOR_KEY, securityToken } },
      settings: { ...NO_KEY, ALIBABA_CLOUD_CREDENTIALS_URI: `http://127.0.0.1:${source.port}/keys` },
    })
    onTestFinished(run.close)
    const replica = await run.startReplica()
    const first = await run.sendFresh(EVENTS)
    await run.untilOut(first)
    const expiry = 'checkresult_credentials_expiry_timestamp_seconds'
    expect(metricSum(await replica.metrics(), expiry)).toBeGreaterThan(Date.now() / 1000)

    source.down = true
    await replica.line(/Cannot obtain Alibaba Cloud credentials from /)
    expect(metricSum(await replica.metrics(), expiry)).toBeLessThan(Date.now() / 1000)
    const second = await run.sendFresh(EVENTS)
    await untilClosed(replica, expect)
    expect(run.results()).toHaveLength(EVENTS)

    source.down = false
    await run.untilOut(second)
    expect(await replica.stop()).toBe(0)
    expect(await run.tally([...first, ...second])).toEqual(EXACTLY_ONCE)
    expect(run.deadLetters()).toEqual([])
    // No call was signed with expired credentials, so the API rejected none.
    expect(Object.keys(run.simulator.report().callsByCode)).toEqual(['Success'])
    for (const secret of [securityToken, SIMULATOR_KEY.accessKeySecret, `${source.port}`]) {
      expect(replica.output()).not.toContain(secret)
    }
  },
)
