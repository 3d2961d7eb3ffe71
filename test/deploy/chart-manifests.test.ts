import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { provideHelm } from '../../dev/tools/helm.ts'
import { provideKubeconform } from '../../dev/tools/kubeconform.ts'
import { FULL, MINIMAL, NEWEST, OLDEST, parse, renderText, type Rendering } from './support/chart.ts'
import { podFaults, podsOf, type PodSpec } from './support/pods.ts'

const SCHEMAS = fileURLToPath(new URL('k8s-schemas', import.meta.url))

beforeAll(async () => {
  await provideHelm()
  await provideKubeconform()
})

const RENDERINGS: readonly (readonly [string, Rendering])[] = [
  ['minimal values', {}],
  ['all options', { files: [FULL] }],
  [
    'hpa and a ServiceMonitor',
    {
      values: {
        'autoscaling.type': 'hpa',
        'autoscaling.hpa.selector': { topic: 'verification.completed' },
        'serviceMonitor.enabled': true,
      },
    },
  ],
  [
    'everything optional disabled',
    {
      values: {
        replicas: 1,
        'networkPolicy.enabled': false,
        'service.enabled': false,
        'setup.topics.enabled': false,
        'setup.schemas.enabled': false,
        'serviceAccount.create': false,
        'serviceAccount.name': 'mine',
        runAsUser: null,
      },
    },
  ],
  [
    'custom scheduling, network policy and KEDA authentication',
    {
      values: {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
        },
        topologySpreadConstraints: [{ topologyKey: 'zone', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' }],
        'podDisruptionBudget.maxUnavailable': '25%',
        'networkPolicy.https': { ports: [8443], to: [{ ipBlock: { cidr: '203.0.113.0/24' } }] },
        'autoscaling.type': 'keda',
        'autoscaling.keda.authenticationRef': { name: 'mine', kind: 'ClusterTriggerAuthentication' },
      },
    },
  ],
]

describe.each([OLDEST, NEWEST])('for Kubernetes %s', (kubeVersion) => {
  test.each(RENDERINGS)('%s: every field is known to Kubernetes or to an operator', async (_, rendering) => {
    const { code, said } = await conform(await renderText({ ...rendering, kubeVersion }), kubeVersion)
    expect(said).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/)
    expect(code).toBe(0)
  })
})

test('kubeconform finds a misspelled field', async () => {
  const misspelled = (await renderText()).replace('revisionHistoryLimit', 'revisionHistoryLimits')
  expect(await conform(misspelled, NEWEST)).toMatchObject({ code: 1 })
})

describe('pods', () => {
  test.each(RENDERINGS)('%s: pods fit the restricted profile and the other checks', async (_, rendering) => {
    const pods = podsOf(parse(await renderText(rendering)))
    expect(pods.length).toBeGreaterThan(0)
    for (const [name, pod] of pods) expect(podFaults(pod), `pod of ${name}`).toEqual([])
  })

  test('the checks find each violation', async () => {
    const [[, pod] = []] = podsOf(parse(await renderText({ files: [MINIMAL] })))
    if (pod === undefined) throw new Error('No pod was rendered.')
    const [container] = pod.containers
    if (container === undefined) throw new Error('The pod has no container.')
    const worse = (change: Partial<PodSpec>) => podFaults({ ...pod, ...change })
    const inside = (change: object) => worse({ containers: [{ ...container, ...change }] })
    expect(worse({ hostNetwork: true })).toHaveLength(1)
    expect(worse({ securityContext: {} })).toHaveLength(2)
    expect(worse({ automountServiceAccountToken: true })).toHaveLength(1)
    expect(worse({ volumes: [{ name: 'x', hostPath: { path: '/' } }] })).toHaveLength(1)
    expect(inside({ securityContext: {} })).toHaveLength(3)
    expect(inside({ image: 'x' })).toHaveLength(1)
    expect(inside({ resources: {} })).toHaveLength(2)
    expect(inside({ env: [{ name: 'X', valueFrom: { secretKeyRef: {} } }] })).toHaveLength(1)
  })
})

async function conform(manifests: string, version: string): Promise<{ code: number | null; said: string }> {
  const locations = [
    `${SCHEMAS}/{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`,
    `${SCHEMAS}/crds/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`,
  ]
  const args = ['-strict', '-summary', '-kubernetes-version', version]
  const child = spawn(await provideKubeconform(), [
    ...args,
    ...locations.flatMap((location) => ['-schema-location', location]),
  ])
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.stdin.end(manifests)
  return { said: `${await text(child.stdout)}${await text(child.stderr)}`, code: await exited }
}
