import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { metricSum } from '../../dev/harness/service.ts'
import { buildImage, IMAGE, type BuildOptions } from '../../dev/image/build.ts'
import { HARDENED, startContainer } from '../../dev/image/container.ts'
import { pickPort } from '../../dev/stack/ports.ts'
import { call } from '../../dev/tools/install.ts'
import { NAME, VERSION } from '../../src/version.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun } from '../support/run.ts'
import { findEngine } from './engine.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const REVISION = 'f00dfeed'
const EVENTS = 2_000
const STOP_SECONDS = 30

const { available, engine } = await findEngine()
const { podman } = engine

describe.runIf(available)('the image', () => {
  beforeAll(async () => {
    await buildImage(engine, { revision: REVISION })
  })

  test('is identical when built from another checkout with different file times and modes', async () => {
    const context = await mkdtemp(join(tmpdir(), 'checkresult-checkout-'))
    onTestFinished(async () => rm(context, { recursive: true, force: true }))
    for (const name of [
      'Dockerfile',
      '.dockerignore',
      '.npmrc',
      'package.json',
      'THIRD_PARTY.md',
      'package-lock.json',
      'src',
      'simulator',
      'schemas',
    ])
      await cp(join(CHECKOUT, name), join(context, name), { recursive: true })
    await call('chmod', ['-R', 'g+w,o-rx', context])
    await utimes(join(context, 'src/main.ts'), 1_000_000, 1_000_000)
    expect(await buildToCompare({ context })).toBe(await buildToCompare({}))
  })

  test('contains only runtime files: no secrets, tools or tests of the checkout', async () => {
    const root = (await podman('image', 'mount', IMAGE)).trim()
    onTestFinished(async () => void (await podman('image', 'unmount', IMAGE)))
    const files = await readdir(join(root, 'app'), { recursive: true, withFileTypes: true })
    const paths = files.map((file) => relative(join(root, 'app'), join(file.parentPath, file.name)))
    expect(new Set(paths.map((path) => path.split('/')[0]))).toEqual(
      new Set(['THIRD_PARTY.md', 'node_modules', 'package.json', 'schemas', 'src']),
    )
    expect(new Set(paths.filter((path) => path.startsWith('schemas/')))).toEqual(
      new Set(['schemas/verification-completed.avsc', 'schemas/verification-result.avsc']),
    )
    expect(paths).toContain(`node_modules/lz4-napi/package.json`)
    expect(paths.some((path) => path.endsWith('.node'))).toBe(true)
    expect(
      paths.filter((path) => /node_modules\/(node-linux-|npm$|vitest|typescript|\.bin)/.test(path)),
    ).toEqual([])
    const programs = ['bin/sh', 'usr/bin/apt', 'usr/bin/dpkg', 'usr/local/bin/npm', 'nodejs/bin/npm']
    expect(programs.filter((program) => existsSync(join(root, program)))).toEqual([])
  })

  test('has the expected user, command, stop signal, port and labels, and no secrets in its environment', async () => {
    const [image] = JSON.parse(await podman('image', 'inspect', IMAGE)) as [{ Config: ImageConfig }]
    const { User, Entrypoint, Cmd, StopSignal, ExposedPorts, Labels, Env } = image.Config
    expect({ User, Entrypoint, Cmd, StopSignal, ExposedPorts }).toEqual({
      User: '65532:65532',
      Entrypoint: ['node', '/app/src/main.ts'],
      Cmd: ['run'],
      StopSignal: 'SIGTERM',
      ExposedPorts: { '9464/tcp': {} },
    })
    expect(Labels).toMatchObject({
      'org.opencontainers.image.title': NAME,
      'org.opencontainers.image.version': VERSION,
      'org.opencontainers.image.revision': REVISION,
    })
    expect(Env.filter((variable) => /SECRET|PASSWORD|TOKEN|KEY/i.test(variable))).toEqual([])
  })

  test('exits with 2 without settings, and knows CHECKRESULT_REVISION, which the image sets', async () => {
    const container = await startContainer(engine, { image: IMAGE, env: {} })
    onTestFinished(container.remove)
    expect((await podman('wait', container.name)).trim()).toBe('2')
    expect(await podman('logs', container.name)).not.toContain('CHECKRESULT_REVISION')
  })

  test('does not contain the simulator, and says where it is', async () => {
    const simulating = podman('run', '--rm', '--pull=never', ...HARDENED, IMAGE, 'simulate')
    await expect(simulating).rejects.toThrow(
      'The simulator is not part of this image. Run `npm start -- simulate`',
    )
  })

  test('settles events with a read-only root, no capabilities and 256 MB, and drains on SIGTERM', async () => {
    const run = await startRun({ simulator: { latencyMs: 50, jitterMs: 50 } })
    onTestFinished(run.close)
    const start = async () => {
      const container = await startContainer(engine, { image: IMAGE, env: run.environment.env })
      onTestFinished(container.remove)
      return container
    }
    const first = await start()
    expect(await rightsOf(first.exec)).toEqual({
      capabilities: 0n,
      mayGain: false,
      user: 65532,
      writable: false,
    })
    const sent = await run.send(
      Array.from({ length: EVENTS }, (_, number) => ({
        value: run.encode(eventFor({ name: 'passpassport', docType: null }, number)),
      })),
    )
    await run.outputs.until(() => run.outputs.records.length >= EVENTS / 4)
    const stopping = performance.now()
    expect(await first.stop(STOP_SECONDS)).toBe(0)
    expect(performance.now() - stopping).toBeLessThan(STOP_SECONDS * 1_000)
    expect(run.outputs.records.length).toBeLessThan(EVENTS)

    const second = await start()
    await run.untilOut(sent)
    const [, address = ''] = /"address":"([^"]+)"/.exec(await second.logs()) ?? []
    const metrics = await (await fetch(`${address}/metrics`)).text()
    expect(metricSum(metrics, 'checkresult_results_total')).toBeGreaterThan(0)
    expect(metrics).toContain(`revision="${REVISION}"`)
    expect(await second.stop(STOP_SECONDS)).toBe(0)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  })

  test('passes its own health check on the port of OPS_PORT', async () => {
    const run = await startRun()
    onTestFinished(run.close)
    const { OPS_PORT: _, ...env } = run.environment.env
    const port = await pickPort()
    const container = await startContainer(engine, { image: IMAGE, env: { ...env, OPS_PORT: String(port) } })
    onTestFinished(container.remove)
    await expect.poll(container.isHealthy).toBe(true)
    expect(await container.stop(STOP_SECONDS)).toBe(0)
  })
})

async function buildToCompare(options: BuildOptions): Promise<string> {
  const tag = `${IMAGE}-${randomUUID()}`
  onTestFinished(async () => void (await podman('rmi', tag)))
  return buildImage(engine, { ...options, revision: REVISION, tag, format: 'oci' })
}

interface ImageConfig {
  readonly User: string
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly StopSignal: string
  readonly ExposedPorts: Readonly<Record<string, object>>
  readonly Labels: Readonly<Record<string, string>>
  readonly Env: readonly string[]
}

/** The rights that the kernel grants the service's process. */
async function rightsOf(exec: (...command: readonly string[]) => Promise<string>) {
  const script = `
    const status = require('node:fs').readFileSync('/proc/1/status', 'utf8')
    const of = (name) => new RegExp(name + ':\\\\s*(\\\\S+)').exec(status)[1]
    let writable = true
    try { require('node:fs').writeFileSync('/tmp/x', '') } catch { writable = false }
    console.log(JSON.stringify({ capabilities: of('CapEff'), bounding: of('CapBnd'), newPrivileges: of('NoNewPrivs'), user: of('Uid'), writable }))`
  const { capabilities, bounding, newPrivileges, user, writable } = JSON.parse(
    await exec('node', '-e', script),
  ) as Record<'capabilities' | 'bounding' | 'newPrivileges' | 'user', string> & { writable: boolean }
  return {
    capabilities: BigInt(`0x${capabilities}`) | BigInt(`0x${bounding}`),
    mayGain: newPrivileges !== '1',
    user: Number(user),
    writable,
  }
}
