import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DCLinter } from 'dclint'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../../src/config.ts'
import { SETTING_NAMES } from '../../../src/config/settings.ts'
import { NAME, VERSION } from '../../../src/version.ts'
import { composeText, readCompose, type ComposeService } from '../../support/compose.ts'

const settingNames: ReadonlySet<string> = new Set(SETTING_NAMES)
const root = new URL('../../../', import.meta.url)
const { services, volumes } = readCompose()
const named = Object.entries(services)
const replicas = named.filter(([, { network_mode: network }]) => network !== undefined)

function service(name: string): ComposeService {
  const found = services[name]
  if (found === undefined) throw new Error(`There is no service ${name}.`)
  return found
}

/** `source:target` of a bind mount or volume. */
function mounts({ volumes: all = [] }: ComposeService): { source: string; target: string }[] {
  return all.map((mount) => {
    const [source = '', target = ''] = mount.split(':')
    return { source, target }
  })
}

/** Host and port of an address with any scheme. */
function hostAndPort(address: string): string {
  return address.replace(/^\w+:\/\//, '').replace(/\/.*$/, '')
}

function readYaml(path: string): unknown {
  return parse(readFileSync(new URL(path, root), 'utf8'))
}

test('the compose file passes schema validation and dclint', () => {
  const { rules } = JSON.parse(readFileSync(new URL('.dclintrc.json', root), 'utf8')) as {
    rules: Record<string, 0>
  }
  const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] })
  const [result] = linter.lintFiles([fileURLToPath(new URL('docker-compose.yml', root))], false)
  expect(result).toMatchObject({ messages: [] })
})

test('every variable has a default, so no .env file is needed', () => {
  const variables = [...composeText().matchAll(/\$\{([^}]+)\}/g)].map(([, inside = '']) => inside)
  expect(variables.filter((variable) => !/^\w+:-./.test(variable))).toEqual([])
})

test('two replicas of the service run with complete, valid settings', () => {
  expect(replicas).toHaveLength(2)
  for (const [, { environment = {} }] of [...replicas, ...setUpJobs()]) {
    expect(Object.keys(environment).filter((name) => !settingNames.has(name))).toEqual([])
    expect(loadConfig(environment)).toMatchObject({ kind: 'ok' })
  }
})

function setUpJobs(): [string, ComposeService][] {
  return [
    ['topics', service('topics')],
    ['schemas', service('schemas')],
  ]
}

test('the stop grace period is longer than the shutdown deadline', () => {
  for (const [, { environment = {}, stop_grace_period: grace = '' }] of replicas) {
    const loaded = loadConfig(environment)
    const deadlineMs = loaded.kind === 'ok' ? loaded.config.shutdownDeadlineMs : Infinity
    expect(Number.parseInt(grace, 10) * 1000).toBeGreaterThanOrEqual(deadlineMs + 10_000)
  }
})

describe('dependencies between services', () => {
  const dependencies = named.flatMap(([name, { depends_on: all = {} }]) =>
    Object.entries(all).map(([target, { condition }]) => ({ name, target, condition })),
  )

  test.each(dependencies)('$name waits for $target ($condition)', ({ name, target, condition }) => {
    const { healthcheck, restart, profiles } = service(target)
    expect(profiles ?? service(name).profiles).toEqual(service(name).profiles)
    const fits = {
      service_healthy: healthcheck?.test?.[0] === 'CMD',
      service_completed_successfully: restart === 'no',
      service_started: false,
    }
    expect(fits[condition]).toBe(true)
  })

  test('a service is declared after its dependencies', () => {
    const order = Object.keys(services)
    for (const { name, target } of dependencies)
      expect(order.indexOf(target)).toBeLessThan(order.indexOf(name))
  })
})

describe.each(named)('service %s', (name, one) => {
  test('has an image with an exact version', () => {
    expect(one.image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-alpine)?$/)
    const target = one.build?.target === undefined ? NAME : `${NAME}-${one.build.target}`
    expect(one.image).toBe(one.build === undefined ? one.image : `${target}:${VERSION}`)
  })

  test('has no privileges and limited resources', () => {
    expect(one.cap_drop).toEqual(['ALL'])
    expect(one.security_opt).toEqual(['no-new-privileges:true'])
    expect(Object.keys(one.deploy?.resources.limits ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'cpus',
      'memory',
      'pids',
    ])
    const writes = ['kafka', 'registry', 'kafka-ui']
    expect(one.read_only ?? false).toBe(!writes.includes(name))
  })

  test('has a health check', () => {
    const once = one.restart === 'no'
    expect(one.healthcheck?.disable ?? false).toBe(once)
    expect(one.healthcheck?.test?.[0]).toBe(once ? undefined : 'CMD')
  })

  test('publishes ports only on this machine', () => {
    expect((one.ports ?? []).filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([])
  })

  test('mounts only existing files and volumes', () => {
    const missing = mounts(one).filter(({ source }) =>
      source.startsWith('./') ? !existsSync(new URL(source, root)) : !(source in volumes),
    )
    expect(missing).toEqual([])
  })
})

test('no two services publish the same port', () => {
  const ports = named.flatMap(([, { ports: all = [] }]) => all.map((port) => port.split(':')[1]))
  expect(new Set(ports).size).toBe(ports.length)
})

test('every volume is used', () => {
  const used = new Set(named.flatMap(([, one]) => mounts(one).map(({ source }) => source)))
  expect(Object.keys(volumes).filter((name) => !used.has(name))).toEqual([])
})

describe('addresses in the compose file', () => {
  test('broker addresses match the advertised listeners', () => {
    const { environment = {} } = service('kafka')
    const advertised = (environment['KAFKA_ADVERTISED_LISTENERS'] ?? '').split(',').map(hostAndPort)
    const clients = named
      .flatMap(([, { environment: all = {} }]) => Object.entries(all))
      .filter(([name]) => /^KAFKA_BROKERS$|BOOTSTRAP_?SERVERS$/.test(name))
      .map(([, address]) => address)
    expect(clients.length).toBeGreaterThan(replicas.length)
    expect(advertised).toEqual(expect.arrayContaining(clients))
    const [, published = '', inside = ''] = service('kafka').ports?.[0]?.split(':') ?? []
    expect(advertised).toContain(`localhost:${published}`)
    expect(environment['KAFKA_LISTENERS']).toContain(`PLAINTEXT_HOST://:${inside}`)
  })

  test('the registry address matches its listener', () => {
    const [, , inside = ''] = service('registry').ports?.[0]?.split(':') ?? []
    const urls = named
      .flatMap(([, { environment: all = {} }]) => Object.entries(all))
      .filter(([name]) => /REGISTRY(_URL)?$/.test(name))
      .map(([, url]) => hostAndPort(url))
    expect(new Set(urls)).toEqual(new Set([`registry:${inside}`]))
  })

  test('replicas reach the simulator on the loopback interface that they share with it', () => {
    for (const [, { environment = {}, network_mode: network }] of replicas) {
      expect(network).toBe('service:simulator')
      expect(service('simulator').healthcheck?.test?.join(' ')).toContain(environment['CHECKRESULT_ENDPOINT'])
      expect(service('simulator').command).toEqual(['simulate', '--qps', environment['CHECKRESULT_QPS']])
    }
  })

  test('replicas are reachable for Prometheus and from this machine', () => {
    const config = readYaml('compose/prometheus/prometheus.yml') as PrometheusConfig
    const targets = config.scrape_configs.flatMap(({ static_configs: all }) =>
      all.flatMap((one) => one.targets),
    )
    const ports = replicas.map(([, { environment = {} }]) => environment['OPS_PORT'])
    expect(targets).toEqual(ports.map((port) => `simulator:${port}`))
    expect(service('simulator').ports).toEqual(ports.map((port) => `127.0.0.1:${port}:${port}`))
    const folders = mounts(service('prometheus')).map(({ target }) => `${target}/*.yaml`)
    expect(folders).toEqual(expect.arrayContaining([...config.rule_files]))
  })

  test('Grafana reaches Prometheus and the dashboards', () => {
    const { datasources } = readYaml('compose/grafana/datasources/prometheus.yml') as {
      datasources: { url: string }[]
    }
    const [, , inside = ''] = service('prometheus').ports?.[0]?.split(':') ?? []
    expect(datasources.map(({ url }) => hostAndPort(url))).toEqual([`prometheus:${inside}`])
    const { providers } = readYaml('compose/grafana/dashboards/checkresult-stream.yml') as {
      providers: { options: { path: string } }[]
    }
    const targets = mounts(service('grafana')).map(({ target }) => target)
    const home = service('grafana').environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? ''
    expect(providers.map(({ options }) => options.path)).toContain(dirname(home))
    const dashboards = mounts(service('grafana')).find(({ target }) => target === dirname(home))?.source
    expect(existsSync(new URL(`${dashboards}/${basename(home)}`, root))).toBe(true)
    expect(targets).toEqual(expect.arrayContaining(providers.map(({ options }) => options.path)))
  })
})

interface PrometheusConfig {
  readonly rule_files: readonly string[]
  readonly scrape_configs: readonly { static_configs: readonly { targets: readonly string[] }[] }[]
}
