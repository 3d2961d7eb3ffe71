import { randomInt } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { runCommand, startCommand, type Env, type Finished } from '../../dev/harness/commands.ts'
import type { ServiceProcess } from '../../dev/harness/service.ts'
import { schemaJson, subjectOf } from '../../src/adapters/registry/schemas.ts'
import { startSimulator } from '../../simulator/simulator.ts'
import { alterTopic, connectTo } from '../support/kafka.ts'
import { loginSettings } from '../support/login-listener.ts'
import { newEnvironment, SIMULATOR_KEY, startService } from '../support/run.ts'

/** A port on which nothing listens. */
const NOWHERE = '127.0.0.1:1'
const TOPICS = ['topics', 'create', '--partitions', '2', '--replication-factor', '1']

interface Readiness {
  readonly status: number
  readonly hasMessage: boolean
}

const NOT_READY: Readiness = { status: 503, hasMessage: true }

// Concurrent, because these tests mostly wait.
describe.concurrent('with bad settings', () => {
  const BAD = {
    KAFKA_BROKERS: 'no port',
    CHECKRESULT_QPS: '0',
    DEFER_DELAYS: 'soon',
    SCHEMA_REGISTRY_URL: 'registry',
    KAFKA_INPUT_TOPC: 'misspelled',
  }

  test.each([
    [['config', 'check'], Object.keys(BAD)],
    [TOPICS, ['KAFKA_BROKERS', 'DEFER_DELAYS', 'KAFKA_INPUT_TOPC']],
    [
      ['schemas', 'register'],
      ['SCHEMA_REGISTRY_URL', 'KAFKA_INPUT_TOPC'],
    ],
    [
      ['dlq', 'list'],
      ['KAFKA_BROKERS', 'DEFER_DELAYS', 'KAFKA_INPUT_TOPC'],
    ],
    [
      ['dlq', 'list', '--show-transaction-ids'],
      ['KAFKA_BROKERS', 'DEFER_DELAYS', 'KAFKA_INPUT_TOPC', 'SCHEMA_REGISTRY_URL'],
    ],
    [['lookup', 'passpassport1', 'biz1'], ['CHECKRESULT_QPS']],
  ])(
    'command %j lists all invalid settings that it uses and exits with 2 before it connects',
    async (command, names) => {
      const { code, stdout, stderr } = await runCommand(command, newEnvironment(BAD).env)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      const errors = stderr.trim().split('\n')
      expect(new Set(errors.map((error) => /^\w+/.exec(error)?.[0]))).toEqual(new Set(names))
      expect(errors).toHaveLength(names.length)
      for (const error of errors) expect(error).toMatch(/[Ee]xpected|Did you mean/)
    },
  )

  test('the service logs them as JSON, even with LOG_LEVEL=silent, and says that it does not start', async () => {
    const { code, stdout, stderr } = await runCommand([], newEnvironment({ ...BAD, LOG_LEVEL: 'silent' }).env)
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; message: string })
    expect(lines.map(({ level }) => level)).toEqual(Array.from({ length: 6 }, () => 'error'))
    expect(lines.at(-1)?.message).toBe(
      'The service does not start, because 5 settings are invalid. Correct what the lines above name, then start it again.',
    )
    // The log redacts numbers of six and more digits.
    expect(stdout).toContain('from 1 to 100000')
  })
})

describe.concurrent('without the settings that a command does not use', () => {
  test('topics and schemas are created', async () => {
    const { env } = newEnvironment()
    const only = (...names: string[]): Env =>
      Object.fromEntries(Object.entries(env).filter(([name]) => names.some((one) => name.startsWith(one))))
    expect(await runCommand(TOPICS, only('KAFKA_', 'DEFER_'))).toMatchObject({ code: 0, stderr: '' })
    const registered = await runCommand(
      ['schemas', 'register'],
      only('SCHEMA_REGISTRY_', 'KAFKA_INPUT', 'KAFKA_RESULT'),
    )
    expect(registered).toMatchObject({ code: 0, stderr: '' })
    expect(await runCommand(['dlq', 'list'], only('KAFKA_', 'DEFER_'))).toMatchObject({
      code: 0,
      stdout: 'No dead letters.\n',
    })
  })
})

describe.concurrent('a service that cannot start says what to do, in its log and at /readyz,', () => {
  test('while topics and schemas are missing, and becomes ready by itself once they are there', async (its) => {
    const result = `verification.result.${randomInt(10_000_000, 100_000_000)}`
    const { env } = newEnvironment({ KAFKA_RESULT_TOPIC: result })
    const service = await startService(env, its.onTestFinished)
    expect(
      await readinessAfter(
        service,
        new RegExp(`Missing topics: .*${result}.*topics create.*WRITE on the result, retry and dead-letter`),
      ),
    ).toEqual(NOT_READY)
    expect((await fetch(`${service.opsUrl}/livez`)).status).toBe(200)
    expect((await runCommand(TOPICS, env)).code).toBe(0)
    expect(
      await readinessAfter(service, new RegExp(`registry does not have.*${result}-value.*schemas register`)),
    ).toEqual(NOT_READY)
    expect((await runCommand(['schemas', 'register'], env)).code).toBe(0)
    await service.ready()
    expect(await service.stop()).toBe(0)
  })

  test('when the input topic takes larger events than the retry and dead-letter topics', async (its) => {
    const { env, topics } = newEnvironment()
    expect((await runCommand(TOPICS, env)).code).toBe(0)
    await alterTopic(topics.input, { 'max.message.bytes': String(2_000_000) })
    const service = await startService(env, its.onTestFinished)
    expect(
      await readinessAfter(
        service,
        /max\.message\.bytes of .* is below that of .*, 2,000,000 bytes: .*at least 2,065,536 bytes/,
      ),
    ).toEqual(NOT_READY)
  })

  test('when no broker answers', async (its) => {
    const service = await startService(newEnvironment({ KAFKA_BROKERS: NOWHERE }).env, its.onTestFinished)
    expect(
      await readinessAfter(
        service,
        /No broker in KAFKA_BROKERS answers, .* \(127\.0\.0\.1:\d+: ECONNREFUSED\)\. Check the addresses/,
      ),
    ).toEqual(NOT_READY)
  })

  test('when the registry does not answer', async (its) => {
    const { env } = newEnvironment({ SCHEMA_REGISTRY_URL: `http://${NOWHERE}` })
    expect((await runCommand(TOPICS, env)).code).toBe(0)
    expect(
      await readinessAfter(
        await startService(env, its.onTestFinished),
        /schema registry does not answer \(\w+\): check SCHEMA_REGISTRY_URL/,
      ),
    ).toEqual(NOT_READY)
  })

  test('when the brokers reject the password', async (its) => {
    const broker = inject('loginBroker')
    const { env } = newEnvironment(loginSettings(broker, 'tester', 'not-the-right-one'))
    const service = await startService(env, its.onTestFinished)
    expect(await readinessAfter(service, /brokers reject the login: check .*KAFKA_SASL_PASSWORD/)).toEqual(
      NOT_READY,
    )
    expect(service.output()).not.toContain('not-the-right-one')
    const { code, stderr } = await runCommand(TOPICS, env)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/brokers reject the login/) })
    const right = newEnvironment(loginSettings(broker))
    expect((await runCommand(TOPICS, right.env)).code).toBe(0)
  })
})

test.concurrent(
  '"topics create" creates missing topics, reports existing ones, and widens the retry topics to the input topic',
  async (its) => {
    const { env, topics } = newEnvironment({ DEFER_DELAYS: '1s,2s' })
    const names = [
      topics.input,
      `${topics.retryPrefix}.1s`,
      `${topics.retryPrefix}.2s`,
      topics.result,
      topics.deadLetter,
    ]
    const lines = async (): Promise<string[]> => {
      const { code, stdout } = await runCommand(TOPICS, env)
      expect(code).toBe(0)
      return stdout.trim().split('\n')
    }
    expect(await lines()).toEqual(names.map((name) => `created  ${name}  2 partitions`))
    expect(await lines()).toEqual(names.map((name) => `exists   ${name}  2 partitions`))

    const admin = connectTo().admin()
    its.onTestFinished(async () => admin.disconnect())
    await admin.connect()
    await admin.createPartitions({ topicPartitions: [{ topic: topics.input, count: 3 }] })
    const widened = names
      .slice(1, 3)
      .map((name) => `widened  ${name}  from 2 to 3 partitions, to match the input topic`)
    await its.expect.poll(async () => (await lines()).slice(1, 3), { timeout: 30_000 }).toEqual(widened)

    const { stdout, stderr } = await runCommand(TOPICS, env)
    expect(stdout).toContain(`exists   ${topics.input}  3 partitions, not the requested 2\n`)
    expect(stderr).toBe(
      `Warning: The number of partitions differs from the requested 2: ${topics.input} (3). Existing topics were not changed. Kafka cannot remove partitions.\n`,
    )
  },
)

test.concurrent(
  '"schemas register" registers once, and rejects an incompatible change with the reason',
  async () => {
    const { env, topics } = newEnvironment()
    const first = await runCommand(['schemas', 'register'], env)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/^registered  \S+  id \d+\nregistered  \S+  id \d+\n$/)
    expect(await runCommand(['schemas', 'register'], env)).toEqual({
      ...first,
      stdout: first.stdout.replaceAll('registered  ', 'exists      '),
    })

    const other = newEnvironment()
    const subject = subjectOf(other.topics.result)
    const changed = JSON.parse(schemaJson('verification-result')) as {
      fields: { name: string; type: unknown }[]
    }
    const fields = changed.fields.map((field) =>
      field.name === 'transactionId' ? { ...field, type: 'long' } : field,
    )
    await post(`/subjects/${subject}/versions`, { schema: JSON.stringify({ ...changed, fields }) })
    const refused = await runCommand(['schemas', 'register'], other.env)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(`rejected    ${subject}`)
    expect(refused.stderr.trim().split('\n').length).toBeGreaterThan(1)
    expect(refused.stderr).toMatch(/transactionId|string|long|type/i)
    expect(first.stdout).toContain(subjectOf(topics.result))
  },
)

describe.concurrent('"lookup"', () => {
  interface Printed {
    verdict: string
    checkedAt: string
    document: { family: string; fields: { surname: string; passportNo: string; expiryDate: string } }
  }

  test('prints the answer with the person masked', async () => {
    const { code, stdout, stderr } = await lookup('passpassport1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { verdict, document, checkedAt } = JSON.parse(stdout) as Printed
    expect({ verdict, family: document.family }).toEqual({ verdict: 'PASSED', family: 'PASSPORT' })
    expect(document.fields.surname).toMatch(/^\*+ON$/)
    expect(document.fields.expiryDate).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(Math.abs(Date.parse(checkedAt) - Date.now())).toBeLessThan(60_000)
    expect(stdout).not.toContain('completedAt')
    expect(stdout).not.toMatch(/TESTPERSON|X0\d{6}/)
  })

  test('prints the person with --show-personal', async () => {
    const { code, stdout } = await lookup('passpassport1', '--show-personal')
    expect(code).toBe(0)
    expect((JSON.parse(stdout) as Printed).document.fields).toMatchObject({
      surname: 'TESTPERSON',
      passportNo: expect.stringMatching(/^X0\d{6}$/),
    })
  })

  test.each([
    ['notyet1', 'not-completed', 'ProcessNotCompleted', /^what to do +Try again later/m],
    ['invalidid1', 'rejected', 'TransactionIdInvalid', /^what to do +Check both ids/m],
    ['html502', 'unavailable', 'not-json', /^what to do +Try again/m],
  ])(
    'gives the reason why there is no result for %s, says what to do, and exits with 1',
    async (id, reason, vendor, advice) => {
      const { code, stdout, stderr } = await lookup(id)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(new RegExp(`^reason +${reason}\ncode +${vendor}$`, 'm'))
      expect(stderr).toMatch(advice)
    },
  )
})

test.concurrent.each([
  ['--help'],
  ['run --help'],
  ['topics create --help'],
  ['lookup --help'],
  ['simulate --help'],
])('"%s" prints its help and exits with 0', async (words) => {
  const { code, stdout } = await runCommand(words.split(' '), {})
  expect(code).toBe(0)
  expect(stdout).toContain('Usage:')
})

test.concurrent(
  'if the port for health and metrics is taken, the service logs it and exits with 1',
  async (its) => {
    const first = await startService(newEnvironment({ KAFKA_BROKERS: NOWHERE }).env, its.onTestFinished)
    const port = new URL(first.opsUrl).port
    const { env } = newEnvironment({ KAFKA_BROKERS: NOWHERE, OPS_PORT: port })
    const second = startCommand(['run'], env)
    expect(await second.exited).toBe(1)
    expect(second.output()).toContain(`Port ${port} on 127.0.0.1 is in use`)
    const silent = startCommand(['run'], { ...env, LOG_LEVEL: 'silent' })
    expect(await silent.exited).toBe(1)
    expect(silent.output()).toContain(`Port ${port} on 127.0.0.1 is in use`)
  },
)

async function lookup(id: string, ...options: string[]): Promise<Finished> {
  const simulator = await startSimulator({ credentials: SIMULATOR_KEY, qps: 'unlimited', latencyMs: 0 })
  const { env } = newEnvironment({ KAFKA_BROKERS: NOWHERE, CHECKRESULT_ENDPOINT: simulator.url })
  try {
    return await runCommand(['lookup', id, 'biz1', ...options], env)
  } finally {
    await simulator.close()
  }
}

/** The answer of /readyz once the message has been logged. */
async function readinessAfter(service: ServiceProcess, message: RegExp): Promise<Readiness> {
  await service.line(message)
  const answer = await fetch(`${service.opsUrl}/readyz`)
  return { status: answer.status, hasMessage: message.test(await answer.text()) }
}

async function post(path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${inject('registryUrl')}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify(body),
  })
  expect(answer.status).toBe(200)
}
