import { generate } from 'selfsigned'
import { beforeAll, describe, expect, test } from 'vitest'
import { provideHelm } from '../../dev/tools/helm.ts'
import { loadConfig } from '../../src/config.ts'
import { VERSION } from '../../src/version.ts'
import {
  FULL,
  MINIMAL,
  at,
  containerOf,
  kinds,
  one,
  render,
  type Manifest,
  type Values,
} from './support/chart.ts'

beforeAll(provideHelm)

const CONTAINER = 'spec.template.spec.containers.0'

describe('minimal values', () => {
  let manifests: readonly Manifest[]
  beforeAll(async () => {
    manifests = await render()
  })

  test('render two replicas with setup and test, and nothing that needs an operator', () => {
    expect(kinds(manifests)).toEqual([
      'ConfigMap/r-checkresult-stream',
      'Deployment/r-checkresult-stream',
      'Job/r-checkresult-stream-schemas',
      'Job/r-checkresult-stream-topics',
      'NetworkPolicy/r-checkresult-stream',
      'NetworkPolicy/r-checkresult-stream-setup',
      'NetworkPolicy/r-checkresult-stream-test',
      'Pod/r-checkresult-stream-test',
      'PodDisruptionBudget/r-checkresult-stream',
      'Service/r-checkresult-stream',
      'ServiceAccount/r-checkresult-stream',
      'ServiceAccount/r-checkresult-stream-setup',
    ])
    expect(at(one(manifests, 'Deployment'), 'spec.replicas')).toBe(2)
    expect(at(one(manifests, 'PodDisruptionBudget'), 'spec')).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    })
  })

  test('the image has the version of the chart, and the grace period fits the shutdown deadline', () => {
    expect(at(containerOf(manifests), 'image')).toBe(`checkresult-stream:${VERSION}`)
    expect(at(one(manifests, 'Deployment'), 'spec.template.spec.terminationGracePeriodSeconds')).toBe(35)
  })

  test("Node.js has the small heap, and the pod's name is the instance id in the group", () => {
    expect(at(containerOf(manifests), 'env')).toEqual([
      { name: 'MALLOC_ARENA_MAX', value: '2' },
      { name: 'NODE_COMPILE_CACHE', value: '/tmp/node-compile-cache' },
      { name: 'NODE_OPTIONS', value: '--max-semi-space-size=8 --max-old-space-size=64' },
      { name: 'KAFKA_GROUP_INSTANCE_ID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ])
  })

  test('probes use the port by name, and only the readiness probe uses /readyz', () => {
    const container = containerOf(manifests)
    expect(at(container, 'ports')).toEqual([{ name: 'metrics', containerPort: 9464, protocol: 'TCP' }])
    for (const [probe, path] of Object.entries({
      startup: '/livez',
      liveness: '/livez',
      readiness: '/readyz',
    })) {
      expect(at(container, `${probe}Probe.httpGet`)).toEqual({ path, port: 'metrics' })
    }
  })

  test('the network policy allows brokers, registry, DNS and HTTPS, but not the instance metadata', () => {
    const egress = at(one(manifests, 'NetworkPolicy', 'stream'), 'spec.egress') as {
      ports: { port: number }[]
      to?: { ipBlock: { except: string[] } }[]
    }[]
    expect(egress.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[53, 53], [9092], [443], [443]])
    expect(egress.at(-1)?.to?.[0]?.ipBlock.except).toEqual(['169.254.0.0/16', '100.100.100.200/32'])
  })
})

describe('settings', () => {
  test('are accepted by the service, with secrets as files', async () => {
    const config = one(await render(), 'ConfigMap').data ?? {}
    const loaded = loadConfig(config, (path) => ({
      kind: 'text',
      text: `fictitious ${path}`.replaceAll(' ', '-'),
    }))
    expect(loaded).toMatchObject({
      kind: 'ok',
      config: {
        kafka: { brokers: ['kafka-1.example:9092', 'kafka-2.example:9092'] },
        credentials: { kind: 'static' },
      },
    })
  })

  test('of the full example are accepted by the service', async () => {
    const pem = await generate([{ name: 'commonName', value: 'fictitious' }], { algorithm: 'sha256' })
    const texts: Readonly<Record<string, string>> = {
      KAFKA_TLS_CA_FILE: pem.cert,
      KAFKA_TLS_CERT_FILE: pem.cert,
      KAFKA_TLS_KEY_FILE: pem.private,
    }
    const manifests = await render({ files: [FULL] })
    const mounted = mountedFiles(manifests)
    const { name: ofTheService } = one(manifests, 'Deployment').metadata
    const loaded = loadConfig(one(manifests, 'ConfigMap', ofTheService).data ?? {}, (path) => {
      const name = path.replace('/etc/checkresult/', '')
      return mounted.includes(name)
        ? { kind: 'text', text: texts[name] ?? 'fictitious' }
        : { kind: 'unreadable', problem: 'it is not mounted' }
    })
    expect(loaded).toMatchObject({
      kind: 'ok',
      config: {
        kafka: { sasl: { username: 'checkresult' } },
        checkresult: { qps: 20 },
        credentials: { kind: 'oidc', roleArn: 'acs:ram::1234567890123456:role/checkresult' },
        dedupeWindowMs: 0,
        defer: { retryTopics: [{ delayMs: 5_000 }, { delayMs: 60_000 }] },
        result: { pii: 'mask' },
        shutdownDeadlineMs: 40_000,
      },
    })
  })

  test('can leave out static membership, for brokers before Kafka 2.3', async () => {
    const manifests = await render({ values: { staticMembership: false } })
    expect(JSON.stringify(manifests)).not.toContain('KAFKA_GROUP_INSTANCE_ID')
  })

  test('keep large numbers as integers', async () => {
    const values = { 'settings.CHECKRESULT_BURST': 100_000, 'settings.CHECKRESULT_QPS': 100_000 }
    expect(one(await render({ values }), 'ConfigMap').data).toMatchObject({
      CHECKRESULT_BURST: '100000',
      CHECKRESULT_QPS: '100000',
    })
  })

  test('restart the pods when they change, unlike the labels of the chart', async () => {
    expect(await checksum({})).toEqual(await checksum({ replicas: 5 }))
    expect(await checksum({})).not.toEqual(await checksum({ 'settings.LOG_LEVEL': 'warn' }))
    const labels = at(one(await render(), 'Deployment'), 'spec.template.metadata.labels')
    expect(labels).not.toHaveProperty(['helm.sh/chart'])
  })

  test('set the port and the grace period', async () => {
    const values = { 'settings.OPS_PORT': 8080, 'settings.SHUTDOWN_DEADLINE': '60500ms' }
    const manifests = await render({ values })
    expect(at(containerOf(manifests), 'ports.0.containerPort')).toBe(8080)
    expect(at(one(manifests, 'Service'), 'spec.ports.0.port')).toBe(8080)
    expect(at(one(manifests, 'Deployment'), 'spec.template.spec.terminationGracePeriodSeconds')).toBe(71)
    expect(JSON.stringify(one(manifests, 'Pod'))).toContain('http://r-checkresult-stream.identity:8080')
  })
})

describe('secrets', () => {
  test('are referenced and never created', async () => {
    for (const files of [[MINIMAL], [FULL]]) {
      expect((await render({ files })).filter(({ kind }) => kind === 'Secret')).toEqual([])
    }
  })

  test('from Secrets, ConfigMaps and tokens are mounted in one folder, readable by owner and group only', async () => {
    const volumes = at(one(await render({ files: [FULL] }), 'Deployment'), 'spec.template.spec.volumes')
    expect(volumes).toContainEqual({
      name: 'files',
      projected: {
        defaultMode: 0o440,
        sources: [
          {
            serviceAccountToken: {
              audience: 'sts.aliyuncs.com',
              expirationSeconds: 3600,
              path: 'ALIBABA_CLOUD_OIDC_TOKEN_FILE',
            },
          },
          item('secret', 'kafka-user', 'password', 'KAFKA_SASL_PASSWORD'),
          item('configMap', 'kafka-ca', 'ca.crt', 'KAFKA_TLS_CA_FILE'),
          item('secret', 'kafka-client', 'tls.crt', 'KAFKA_TLS_CERT_FILE'),
          item('secret', 'kafka-client', 'tls.key', 'KAFKA_TLS_KEY_FILE'),
          item('secret', 'r-checkresult-stream', 'SCHEMA_REGISTRY_PASSWORD', 'SCHEMA_REGISTRY_PASSWORD'),
        ],
      },
    })
  })

  test('from a store have one ExternalSecret for the service and one for the setup Jobs', async () => {
    const manifests = await render({ files: [FULL] })
    const own = one(manifests, 'ExternalSecret', 'stream')
    const early = one(manifests, 'ExternalSecret', 'setup')
    expect(own.spec).toEqual({
      refreshInterval: '5m',
      secretStoreRef: { name: 'vault', kind: 'ClusterSecretStore' },
      target: { name: 'r-checkresult-stream', creationPolicy: 'Owner' },
      data: [
        {
          secretKey: 'SCHEMA_REGISTRY_PASSWORD',
          remoteRef: { key: 'checkresult/registry', property: 'password' },
        },
      ],
    })
    expect(early.spec).toMatchObject({ target: { name: 'r-checkresult-stream-setup' } })
    expect(early.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' })
    expect(own.metadata.annotations).not.toHaveProperty(['helm.sh/hook'])
  })
})

describe('identity', () => {
  const noKey = { secrets: {} }

  test('with RRSA, both ServiceAccounts name the role and nothing is mounted', async () => {
    const manifests = await render({ values: { ...noKey, 'rrsa.roleName': 'checkresult' } })
    for (const end of ['stream', 'setup']) {
      expect(one(manifests, 'ServiceAccount', end).metadata.annotations).toMatchObject({
        'pod-identity.alibabacloud.com/role-name': 'checkresult',
      })
    }
    expect(mountedFiles(manifests)).toEqual([])
  })

  test('without the webhook, the token is mounted and its path is set', async () => {
    const values = {
      ...noKey,
      'settings.ALIBABA_CLOUD_ROLE_ARN': 'acs:ram::1:role/x',
      'settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN': 'acs:ram::1:oidc-provider/x',
    }
    const manifests = await render({ values })
    expect(mountedFiles(manifests)).toEqual(['ALIBABA_CLOUD_OIDC_TOKEN_FILE'])
    expect(one(manifests, 'ConfigMap').data).toMatchObject({
      ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/etc/checkresult/ALIBABA_CLOUD_OIDC_TOKEN_FILE',
    })
  })

  test('an existing ServiceAccount is used by service, setup and test', async () => {
    const manifests = await render({
      values: { 'serviceAccount.create': false, 'serviceAccount.name': 'mine' },
    })
    expect(kinds(manifests).filter((name) => name.startsWith('ServiceAccount'))).toEqual([])
    const users = manifests.filter(({ kind }) => ['Deployment', 'Job'].includes(kind))
    for (const user of users) expect(at(user, 'spec.template.spec.serviceAccountName')).toBe('mine')
    expect(at(one(manifests, 'Pod'), 'spec.serviceAccountName')).toBe('mine')
  })
})

describe('setup', () => {
  test('runs before the release, topics first, with its own user if one is set', async () => {
    const manifests = await render({ files: [FULL] })
    const topics = one(manifests, 'Job', 'topics')
    const schemas = one(manifests, 'Job', 'schemas')
    const weights = [one(manifests, 'ServiceAccount', 'setup'), topics, schemas].map(weight)
    expect(weights).toEqual([...weights].sort((a, b) => a - b))
    expect(at(topics, `${CONTAINER}.args`)).toEqual(
      'topics create --partitions 12 --replication-factor 3'.split(' '),
    )
    expect(at(schemas, `${CONTAINER}.args`)).toEqual(['schemas', 'register'])
    expect(at(topics, `${CONTAINER}.env`)).toContainEqual({
      name: 'KAFKA_SASL_USERNAME',
      value: 'topic-admin',
    })
    expect(JSON.stringify(at(topics, 'spec.template.spec.volumes'))).toContain('kafka-admin')
    expect(JSON.stringify(one(manifests, 'Deployment'))).not.toContain('kafka-admin')
  })

  test('fails at once if settings are invalid', async () => {
    const rule = at(one(await render(), 'Job', 'topics'), 'spec.podFailurePolicy.rules.0')
    expect(rule).toMatchObject({ action: 'FailJob', onExitCodes: { values: [2] } })
  })

  test('has no objects if both Jobs are disabled', async () => {
    const values = { 'setup.topics.enabled': false, 'setup.schemas.enabled': false }
    expect(kinds(await render({ values })).filter((name) => /setup|topics|schemas/.test(name))).toEqual([])
  })
})

describe('selectors', () => {
  test('match the pods of the service, but not those of setup and test', async () => {
    const manifests = await render({ files: [FULL], values: { 'service.enabled': true } })
    const labels = at(one(manifests, 'Deployment'), 'spec.template.metadata.labels') as Record<string, string>
    const others = [
      at(one(manifests, 'Job', 'topics'), 'spec.template.metadata.labels'),
      one(manifests, 'Pod').metadata.labels,
    ] as Record<string, string>[]
    const selectors = [
      at(one(manifests, 'Deployment'), 'spec.selector.matchLabels'),
      at(one(manifests, 'Service'), 'spec.selector'),
      at(one(manifests, 'PodDisruptionBudget'), 'spec.selector.matchLabels'),
      at(one(manifests, 'NetworkPolicy', 'stream'), 'spec.podSelector.matchLabels'),
      at(one(manifests, 'PodMonitor'), 'spec.selector.matchLabels'),
    ] as Record<string, string>[]
    for (const selector of selectors) {
      expect(labels).toMatchObject(selector)
      for (const other of others) expect(other).not.toMatchObject(selector)
    }
  })
})

function mountedFiles(manifests: readonly Manifest[]): readonly string[] {
  const volumes = at(one(manifests, 'Deployment'), 'spec.template.spec.volumes') as {
    name: string
    projected?: { sources: Record<string, { path?: string; items?: { path: string }[] }>[] }
  }[]
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? [])
  return sources.flatMap((source) =>
    Object.values(source).flatMap(({ path, items }) =>
      path === undefined ? (items ?? []).map((one_) => one_.path) : [path],
    ),
  )
}

async function checksum(values: Values): Promise<unknown> {
  return at(one(await render({ values }), 'Deployment'), 'spec.template.metadata.annotations')
}

function item(kind: string, name: string, key: string, path: string): unknown {
  return { [kind]: { name, items: [{ key, path }] } }
}

function weight({ metadata }: Manifest): number {
  return Number(metadata.annotations?.['helm.sh/hook-weight'])
}
