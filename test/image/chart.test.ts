import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { stringify } from 'yaml'
import type { Env } from '../../dev/harness/commands.ts'
import { eventFor } from '../../dev/harness/events.ts'
import { metricSum } from '../../dev/harness/service.ts'
import { buildImage } from '../../dev/image/build.ts'
import { pickPort } from '../../dev/stack/ports.ts'
import { SETTING_NAMES, aboutSetting } from '../../src/config/settings.ts'
import { MINIMAL, at, one, render, type Manifest, type Values } from '../deploy/support/chart.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun } from '../support/run.ts'
import { findEngine } from './engine.ts'

const TAG = 'localhost/checkresult-stream/service:chart'
const EVENTS = 500

const { available, engine } = await findEngine()

describe.runIf(available)('the pods of the chart, run by podman', () => {
  beforeAll(async () => {
    await buildImage(engine, { tag: TAG })
  })

  test('settle events, read secrets from files and stop in an orderly way', async () => {
    const run = await startRun()
    onTestFinished(run.close)
    const port = await pickPort()
    const { OPS_HOST: _, ...given } = run.environment.env
    const env = { ...given, OPS_PORT: String(port) }
    const manifests = await render({ files: [MINIMAL], values: valuesFor(env) })
    const play = playable(manifests, env)
    const directory = await mkdtemp(join(tmpdir(), 'checkresult-play-'))
    const file = join(directory, 'pod.yaml')
    await writeFile(file, play.map((manifest) => stringify(manifest)).join('---\n'))
    onTestFinished(async () => {
      await engine.podman('play', 'kube', '--down', file)
      await rm(directory, { recursive: true })
    })
    await engine.podman('play', 'kube', file)

    await expect.poll(async () => get(port, '/readyz')).toBe('ok\n')
    const sent = await run.send(
      Array.from({ length: EVENTS }, (_none, number) => ({
        value: run.encode(eventFor({ name: 'passpassport', docType: null }, number)),
      })),
    )
    await run.untilOut(sent)
    expect(metricSum(await get(port, '/metrics'), 'checkresult_results_total')).toBe(EVENTS)

    const names = (await engine.podman('ps', '--format', '{{.Names}}')).split('\n')
    const container = names.find((name) => name.endsWith('-checkresult-stream')) ?? ''
    const inspected = JSON.parse(await engine.podman('inspect', container)) as unknown
    expect(at(inspected, '0.HostConfig.ReadonlyRootfs')).toBe(true)
    expect(at(inspected, '0.HostConfig.Memory')).toBe(256 * 1024 * 1024)
    expect(at(inspected, '0.EffectiveCaps') ?? []).toEqual([])
    await engine.podman('stop', '-t', '40', container)
    expect(await engine.podman('inspect', '--format', '{{.State.ExitCode}}', container)).toBe('0\n')
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  })
})

interface Pod {
  hostNetwork?: boolean
  volumes: Record<string, unknown>[]
  readonly containers: Record<string, unknown>[]
}

/** The settings of the run as chart values. */
function valuesFor(env: Env): Values {
  const texts = SETTING_NAMES.flatMap((name) => {
    const value = env[name]
    return value === undefined || aboutSetting(name).holds !== 'text' ? [] : [[name, read(value)] as const]
  })
  return {
    settings: Object.fromEntries(texts),
    replicas: 1,
    'image.repository': TAG.replace(/:[^:]*$/, ''),
    'image.tag': 'chart',
    'image.pullPolicy': 'Never',
  }
}

function read(text: string): unknown {
  if (/^\d+$/.test(text)) return Number(text)
  return text === 'true' || text === 'false' ? text === 'true' : text
}

/**
 * The objects that podman can run: the Deployment and its settings, on the host's network with the local stack and
 * without port mapping. Podman does not support secrets in projected volumes, so the files come from a ConfigMap.
 */
function playable(manifests: readonly Manifest[], env: Env): readonly unknown[] {
  const deployment = structuredClone(one(manifests, 'Deployment'))
  const pod = at(deployment, 'spec.template.spec') as Pod
  pod.hostNetwork = true
  pod.volumes = pod.volumes.map((volume) =>
    'projected' in volume ? { name: volume['name'], configMap: { name: 'files' } } : volume,
  )
  for (const container of pod.containers) {
    for (const part of ['ports', 'startupProbe', 'livenessProbe', 'readinessProbe']) delete container[part]
  }
  const secrets = SETTING_NAMES.filter(
    (name) => aboutSetting(name).holds === 'secret' && env[name] !== undefined,
  )
  const files = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'files' },
    data: Object.fromEntries(secrets.map((name) => [name, env[name] ?? ''])),
  }
  return [one(manifests, 'ConfigMap'), files, deployment]
}

async function get(port: number, path: string): Promise<string> {
  try {
    return await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  } catch {
    return 'no answer'
  }
}
