/** Problems at startup and in the commands before it: something is missing, misconfigured or forbidden. */
import { readdirSync, readFileSync } from 'node:fs'
import kafkajs from 'kafkajs'
import { describe, expect, inject, test, type onTestFinished } from 'vitest'
import { runCommand, type Env } from '../../../dev/harness/commands.ts'
import { prepareEnvironment, type Environment } from '../../../dev/harness/environment.ts'
import { metricSum, type ServiceProcess } from '../../../dev/harness/service.ts'
import { SCHEMA_NAMES, schemaJson, subjectOf } from '../../../src/adapters/registry/schemas.ts'
import { page, serve } from '../../support/http-server.ts'
import { API, describeConfigsError, startKafkaProxy, type Treatment } from '../../support/kafka-proxy.ts'
import { connectTo } from '../../support/kafka.ts'
import { newEnvironment, startService } from '../../support/run.ts'

const TOPICS = ['topics', 'create', '--partitions', '2', '--replication-factor', '1']
const REGISTER = ['schemas', 'register']

describe.concurrent('S1: an address that is not a schema registry', () => {
  test('makes "schemas register" exit with 1 and a message that names the address', async () => {
    const { env } = newEnvironment({ SCHEMA_REGISTRY_URL: withoutPath() })
    const { code, stdout, stderr } = await runCommand(REGISTER, env)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(
      `HTTP 404: ${withoutPath()} is not a schema registry at this path (Apicurio needs /apis/ccompat/v7)`,
    )
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('is reported by the service in its log and at /readyz', async ({ onTestFinished }) => {
    const login = await serve(page(200), onTestFinished)
    await Promise.all(
      [
        { url: withoutPath(), status: 404 },
        { url: login, status: 200 },
      ].map(async ({ url, status }) => {
        const { env } = newEnvironment({ SCHEMA_REGISTRY_URL: url })
        expect((await runCommand(TOPICS, env)).code).toBe(0)
        const service = await startService(env, onTestFinished)
        await service.line(notARegistry(status, url))
        const ready = await fetch(`${service.opsUrl}/readyz`)
        expect(ready.status).toBe(503)
        expect(await ready.text()).toMatch(notARegistry(status, url))
      }),
    )
  })
})

describe.concurrent('S4: an address where health and metrics cannot be served', () => {
  test.for([
    [
      'a taken port',
      (port: string): Env => ({ OPS_PORT: port }),
      /^Port \d+ on 127\.0\.0\.1 is in use by another process, .*OPS_PORT.* The service did not start\.$/,
    ],
    [
      'an address of another machine',
      (): Env => ({ OPS_HOST: '192.0.2.1' }),
      /^OPS_HOST is 192\.0\.2\.1, which is not an address of this machine\./,
    ],
  ] as const)(
    'makes the service exit with one message before it joins the group: %s',
    async ([, settings, said], its) => {
      const own = newEnvironment()
      await prepareEnvironment(own, 2)
      const first = await startService(own.env, its.onTestFinished)
      await first.ready()
      const rebalances = async (): Promise<number> =>
        metricSum(await first.metrics(), 'checkresult_rebalances_total')
      const before = await rebalances()
      const second = await runCommand(['run'], { ...own.env, ...settings(new URL(first.opsUrl).port) })
      expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 1, stderr: '' })
      expect(
        second.stdout
          .trimEnd()
          .split('\n')
          .map((line): unknown => JSON.parse(line)),
      ).toEqual([expect.objectContaining({ level: 'error', message: expect.stringMatching(said) })])
      expect(second.stdout).not.toContain('"stack"')
      // A member that joins would trigger a rebalance within one heartbeat.
      const heartbeats = heartbeatsOf(first)
      const from = await heartbeats()
      await its.expect.poll(heartbeats, { timeout: 30_000 }).not.toBe(from)
      expect(await rebalances()).toBe(before)
    },
  )
})

describe.concurrent('S10: a broker or proxy that does not serve DescribeConfigs', () => {
  test('causes one warning of the service, however often it retries to start, and one of "topics create"', async ({
    onTestFinished,
  }) => {
    const { own, start } = await startBehind('cut', onTestFinished)
    const { code, stderr } = await runCommand(TOPICS, own.env)
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^Warning: .*do not support DescribeConfigs/),
    })
    // The schemas are missing, so the service retries the start.
    const service = await start()
    await service.line(/registry does not have/)
    expect((await runCommand(REGISTER, own.env)).code).toBe(0)
    await service.ready()
    expect(service.output().match(/do not support DescribeConfigs/g)).toHaveLength(1)
    expect(await service.stop()).toBe(0)
  })

  test.for([
    ['never answers', 'ignore'],
    ['answers UNSUPPORTED_VERSION', describeConfigsError(35)],
  ] as const)(
    'does not prevent the service from starting if it %s',
    async ([, treatment], { onTestFinished }) => {
      const { own, start } = await startBehind(treatment, onTestFinished)
      await prepareEnvironment({ ...own, env: { ...own.env, KAFKA_BROKERS: inject('brokers').join() } }, 2)
      const service = await start()
      await service.ready()
      expect(service.output()).toMatch(/"level":"warn".*do not support DescribeConfigs/)
      expect(await service.stop()).toBe(0)
    },
  )
})

test.concurrent(
  'R11b: the service and "topics create" warn about compacted topics',
  async ({ onTestFinished }) => {
    const own = newEnvironment()
    await prepareEnvironment(own, 2)
    const { deadLetter, result, retryPrefix, input } = own.topics
    const compacted = [result, deadLetter, `${retryPrefix}.10s`]
    await Promise.all([
      setPolicy(compacted[0] ?? '', 'compact'),
      setPolicy(compacted[1] ?? '', 'compact,delete'),
      setPolicy(compacted[2] ?? '', 'compact'),
      setPolicy(input, 'compact'),
    ])
    const message = `cleanup.policy of ${compacted.join(', ')} includes compact: `
    const service = await startService(own.env, onTestFinished)
    await service.ready()
    const warnings = service
      .output()
      .split('\n')
      .filter((line) => line.includes('cleanup.policy'))
    expect(warnings).toEqual([expect.stringContaining(message)])
    expect(warnings[0]).toContain('"level":"warn"')
    const { code, stderr } = await runCommand(TOPICS, own.env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(message) })
  },
)

describe.concurrent('compatibility of our subjects', () => {
  test('is set to FULL_TRANSITIVE, and a lower level is reported and corrected', async () => {
    const { env, topics } = newEnvironment()
    expect(await runCommand(REGISTER, env)).toMatchObject({ code: 0, stderr: '' })
    const subjects = [topics.input, topics.result].map(subjectOf)
    expect(await Promise.all(subjects.map(levelOf))).toEqual(['FULL_TRANSITIVE', 'FULL_TRANSITIVE'])

    await ask('PUT', `/config/${subjectOf(topics.result)}`, { compatibility: 'NONE' })
    const again = await runCommand(REGISTER, env)
    expect(again.code).toBe(0)
    expect(again.stderr).toMatch(new RegExp(`^level +${subjectOf(topics.result)}: .*NONE.*FULL_TRANSITIVE`))
    expect(await levelOf(subjectOf(topics.result))).toBe('FULL_TRANSITIVE')
  })

  test('rejects a schema that is incompatible with an older version, and names the version and the reason', async () => {
    const { env, topics } = newEnvironment()
    const subject = subjectOf(topics.result)
    const ours = JSON.parse(schemaJson('verification-result')) as { fields: object[] }
    const strange = { ...ours, fields: [...ours.fields, { name: 'added', type: 'string', doc: 'Needed.' }] }
    const versions = `/subjects/${subject}/versions`
    await ask('POST', versions, { schema: JSON.stringify(strange) })
    await ask('POST', versions, { schema: JSON.stringify(ours) })
    const { code, stderr } = await runCommand(REGISTER, env)
    expect(code).toBe(1)
    expect(stderr).toContain(`rejected    ${subject}`)
    expect(stderr).toMatch(/version 1: .*added/)
    expect(stderr).not.toMatch(/version 2:/)
  })

  // The registry's Java Avro library gives a second opinion besides test/unit/schemas/compatibility.test.ts.
  test.each(SCHEMA_NAMES)('holds between all released versions of %s and the current one', async (name) => {
    const subject = subjectOf(newEnvironment().topics.result)
    const folder = new URL(`../../../schemas/released/${name}/`, import.meta.url)
    const released = readdirSync(folder)
      .toSorted((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10))
      .map((file) => JSON.stringify(JSON.parse(readFileSync(new URL(file, folder), 'utf8'))))
    await ask('PUT', `/config/${subject}`, { compatibility: 'FULL_TRANSITIVE' })
    for (const schema of [...released, schemaJson(name)]) {
      expect(await ask('POST', `/subjects/${subject}/versions`, { schema })).toMatchObject({
        id: expect.any(Number),
      })
    }
  })
})

/** A service whose brokers are behind a proxy with this treatment of DescribeConfigs. */
async function startBehind(
  treatment: Treatment,
  whenFinished: typeof onTestFinished,
): Promise<{ readonly own: Environment; readonly start: () => Promise<ServiceProcess> }> {
  const proxy = await startKafkaProxy(inject('brokers')[0] ?? '', ({ apiKey }) =>
    apiKey === API.describeConfigs ? treatment : 'pass',
  )
  whenFinished(proxy.close)
  const own = newEnvironment({ KAFKA_BROKERS: proxy.broker })
  return { own, start: () => startService(own.env, whenFinished) }
}

/** The registry's address without the path of its API. */
function withoutPath(): string {
  return new URL(inject('registryUrl')).origin
}

function notARegistry(status: number, url: string): RegExp {
  return new RegExp(`HTTP ${status}: ${RegExp.escape(url)} is not a schema registry at this path`)
}

/** The time of the last accepted heartbeat. */
function heartbeatsOf(service: ServiceProcess): () => Promise<number> {
  return async () => metricSum(await service.metrics(), 'checkresult_last_heartbeat_timestamp_seconds')
}

async function setPolicy(topic: string, policy: string): Promise<void> {
  const admin = connectTo().admin()
  await admin.connect()
  try {
    const configEntries = [{ name: 'cleanup.policy', value: policy }]
    const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }]
    await admin.alterConfigs({ validateOnly: false, resources })
  } finally {
    await admin.disconnect()
  }
}

async function levelOf(subject: string): Promise<unknown> {
  return (await ask('GET', `/config/${subject}`))['compatibilityLevel']
}

async function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${inject('registryUrl')}${path}`, {
    method,
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.json()) as Record<string, unknown>
}
