import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml, stringify } from 'yaml'
import { provideHelm } from '../../dev/tools/helm.ts'
import { call } from '../../dev/tools/install.ts'
import { commandsOf, pages } from '../support/docs.ts'
import {
  CHART,
  FULL,
  MINIMAL,
  at,
  containerOf,
  kinds,
  one,
  parse,
  render,
  renderText,
} from './support/chart.ts'

const tools = await provideHelm()

describe('scaling', () => {
  test.each(['keda', 'hpa'])('with %s the Deployment has no number of replicas', async (type) => {
    const manifests = await render({ values: { 'autoscaling.type': type } })
    expect(at(one(manifests, 'Deployment'), 'spec')).not.toHaveProperty('replicas')
  })

  test('KEDA reads the lag of the group and topic of the service, and all its parameters are strings', async () => {
    const manifests = await render({ files: [FULL], values: { 'settings.KAFKA_GROUP_ID': 'kyc' } })
    const metadata = at(one(manifests, 'ScaledObject'), 'spec.triggers.0.metadata') as Record<string, unknown>
    expect(metadata).toEqual({
      bootstrapServers: 'kafka-1.example:9094,kafka-2.example:9095',
      consumerGroup: 'kyc',
      topic: 'verification.completed',
      lagThreshold: '1000',
      offsetResetPolicy: 'earliest',
      excludePersistentLag: 'true',
      sasl: 'scram_sha512',
      tls: 'enable',
    })
    expect(one(manifests, 'TriggerAuthentication').spec).toEqual({
      secretTargetRef: [
        { parameter: 'cert', name: 'kafka-client', key: 'tls.crt' },
        { parameter: 'key', name: 'kafka-client', key: 'tls.key' },
        { parameter: 'password', name: 'kafka-user', key: 'password' },
      ],
      configMapTargetRef: [
        { parameter: 'username', name: 'r-checkresult-stream', key: 'KAFKA_SASL_USERNAME' },
        { parameter: 'ca', name: 'kafka-ca', key: 'ca.crt' },
      ],
    })
  })

  test('without a Kafka login there is no TriggerAuthentication', async () => {
    const manifests = await render({ values: { 'autoscaling.type': 'keda' } })
    expect(kinds(manifests).filter((name) => name.startsWith('TriggerAuthentication'))).toEqual([])
    expect(at(one(manifests, 'ScaledObject'), 'spec.triggers.0')).not.toHaveProperty('authenticationRef')
  })

  test('a single replica has no PodDisruptionBudget', async () => {
    expect(kinds(await render({ values: { replicas: 1 } }))).not.toContain(
      'PodDisruptionBudget/r-checkresult-stream',
    )
  })
})

describe('monitoring', () => {
  test('rules and dashboards are copied from files unchanged, also with template syntax in them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'checkresult-chart-'))
    try {
      const chart = join(directory, 'checkresult-stream')
      await cp(CHART, chart, { recursive: true })
      for (const kind of ['rules', 'dashboards']) {
        await rm(join(chart, 'files', kind), { recursive: true, force: true })
        await mkdir(join(chart, 'files', kind))
      }
      const annotations = {
        summary: '{{ $labels.job }} is {{ $value }}',
        runbook_url: 'docs/runbook.md#checkresultdown',
      }
      const rules = { groups: [{ name: 'test', rules: [{ alert: 'Test', expr: 'up == 0', annotations }] }] }
      const dashboard = '{"title":"Test","panels":[{"legendFormat":"{{ job }}"}]}\n'
      await writeFile(join(chart, 'files/rules/alerts.yaml'), stringify(rules))
      await writeFile(join(chart, 'files/dashboards/checkresult-business.json'), dashboard)
      const manifests = await render({ chart, files: [FULL] })
      const found = one(manifests, 'PrometheusRule', 'alerts')
      expect(found.spec).toEqual(rules)
      expect(found.metadata.labels).toMatchObject({ release: 'kube-prometheus-stack' })
      const config = one(manifests, 'ConfigMap', 'dashboard-business')
      expect(config.data).toEqual({ 'checkresult-business.json': dashboard })
      expect(config.metadata.labels).toMatchObject({ grafana_dashboard: '1' })
      const values = { 'prometheusRule.runbook': 'https://wiki.example/checkresult' }
      const linked = one(await render({ chart, files: [FULL], values }), 'PrometheusRule', 'alerts')
      expect(at(linked.spec, 'groups.0.rules.0.annotations.runbook_url')).toBe(
        'https://wiki.example/checkresult#checkresultdown',
      )
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('PodMonitor and ServiceMonitor have the same endpoint', async () => {
    const endpoint = { port: 'metrics', path: '/metrics', interval: '30s', scrapeTimeout: '10s' }
    const pods = await render({ values: { 'podMonitor.enabled': true } })
    expect(at(one(pods, 'PodMonitor'), 'spec.podMetricsEndpoints')).toEqual([endpoint])
    const services = await render({ values: { 'serviceMonitor.enabled': true } })
    expect(at(one(services, 'ServiceMonitor'), 'spec.endpoints')).toEqual([endpoint])
  })
})

describe('names', () => {
  test('have at most 63 characters, also for a long release name', async () => {
    const release = `a.${'very-'.repeat(10)}1`
    const manifests = await render({ files: [FULL], release })
    for (const { kind, metadata } of manifests) {
      expect(metadata.name, `a ${kind}`).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      for (const value of Object.values(metadata.labels)) expect(value.length).toBeLessThanOrEqual(63)
    }
  })

  test('are the release name alone if it contains the chart name', async () => {
    expect(kinds(await render({ release: 'checkresult-stream' }))).toContain('Deployment/checkresult-stream')
  })
})

test('a digest takes precedence over a tag', async () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const values = { 'image.digest': digest, 'image.tag': '9.9.9', 'image.repository': 'registry.example/x' }
  expect(at(containerOf(await render({ values })), 'image')).toBe(`registry.example/x@${digest}`)
})

test('the notes show how to check the release, and how many replicas are hot standbys', async () => {
  const args = [
    'install',
    'r',
    CHART,
    '--dry-run=client',
    '-n',
    'identity',
    '-f',
    MINIMAL,
    '--set',
    'replicas=11',
  ]
  const notes = (await call(tools.helm, args)).split('NOTES:\n')[1] ?? ''
  expect(notes).toContain('helm test r -n identity')
  expect(notes).toContain(
    '3 of 11 replicas are hot standbys: there are 8 partitions in 8 shards, and 10 permits per second.',
  )
})

test('`helm lint --strict` finds nothing', async () => {
  for (const file of [MINIMAL, FULL]) {
    expect(await call(tools.helm, ['lint', '--strict', CHART, '-f', file])).toContain('0 chart(s) failed')
  }
})

const installs = pages().flatMap((page) =>
  commandsOf(page)
    .filter((command) => command.startsWith('helm install '))
    .map((command) => [page.path, command] as const),
)

test.each(installs)('%s: `%s` renders', async (_, command) => {
  const [name = '', chart = '', ...options] = command
    .replace('helm install ', '')
    .replaceAll("'", '')
    .split(' ')
  expect(CHART).toMatch(new RegExp(`/${chart}$`))
  const manifests = parse(await call(tools.helm, ['template', name, CHART, ...options]))
  expect(one(manifests, 'ConfigMap').data).toMatchObject({
    KAFKA_BROKERS: expect.stringContaining('kafka-1.example:9092'),
  })
})

test('the README, docs/kubernetes.md and the README of the chart show how to install it', () => {
  expect(installs.map(([path]) => path).toSorted()).toEqual([
    'README.md',
    'docs/kubernetes.md',
    'helm/checkresult-stream/README.md',
  ])
})

test('values.yaml has the defaults of the chart', async () => {
  const shown = parseYaml(await call(tools.helm, ['show', 'values', CHART])) as Record<string, unknown>
  expect(shown).toMatchObject({ settings: {}, secrets: {}, replicas: 2 })
  expect(await renderText({ files: [join(CHART, 'values.yaml'), MINIMAL] })).toBe(await renderText())
})
