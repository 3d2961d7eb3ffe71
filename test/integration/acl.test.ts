import { readFile } from 'node:fs/promises'
import kafkajs, { type AclEntry, type Admin } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand, type Env, type Finished } from '../../dev/harness/commands.ts'
import type { Environment } from '../../dev/harness/environment.ts'
import { eventFor } from '../../dev/harness/events.ts'
import { connectTo } from '../support/kafka.ts'
import { complaints } from '../support/log-lines.ts'
import { EXACTLY_ONCE, type Coordinates } from '../support/outputs.ts'
import { startRun, startService, type Run } from '../support/run.ts'
import { startSecuredKafka, type SecuredKafka } from '../support/secured-kafka.ts'

/** Has exactly the rights that docs/operations.md lists for the service. */
const SERVICE = 'service'
/** Has exactly the rights that docs/operations.md lists for `topics create`. */
const MAKER = 'maker'
/** Has exactly the rights that docs/dead-letters.md lists for `dlq redrive`. */
const REDRIVER = 'redriver'
const NO_REDRIVE = 'no_redrive'
const NO_CREATOR = 'no_creator'
const NO_WIDENER = 'no_widener'
const PASSWORD = 'open-sesame-9f2c'

const { AclOperationTypes: MAY, AclResourceTypes: KIND, ResourcePatternTypes: PATTERN } = kafkajs

type Target = 'input' | 'result' | 'retry' | 'dead-letter' | 'group' | 'transactional ids' | 'redrive'

interface Right {
  readonly operation: 'READ' | 'WRITE' | 'CREATE' | 'ALTER' | 'DESCRIBE_CONFIGS'
  readonly on: Target
}

const READ_TOPICS = /grant READ on the input and retry topics/
const WRITE_TOPICS = /WRITE on the result, retry and dead-letter topics/

/** The rights of docs/operations.md, and the message if one is missing. */
const NEEDED: readonly (Right & { readonly message: RegExp })[] = [
  { operation: 'READ', on: 'input', message: READ_TOPICS },
  { operation: 'READ', on: 'retry', message: READ_TOPICS },
  { operation: 'READ', on: 'group', message: /grant READ on the group named in KAFKA_GROUP_ID/ },
  { operation: 'WRITE', on: 'result', message: WRITE_TOPICS },
  { operation: 'WRITE', on: 'retry', message: WRITE_TOPICS },
  { operation: 'WRITE', on: 'dead-letter', message: WRITE_TOPICS },
  { operation: 'WRITE', on: 'transactional ids', message: /grant WRITE on transactional ids that begin/ },
]

const TO_READ_DEAD_LETTERS: readonly Right[] = [
  { operation: 'READ', on: 'dead-letter' },
  { operation: 'WRITE', on: 'dead-letter' },
  { operation: 'WRITE', on: 'input' },
]
const TO_REDRIVE: readonly Right[] = [...TO_READ_DEAD_LETTERS, { operation: 'WRITE', on: 'redrive' }]

const TOPICS = ['input', 'result', 'retry', 'dead-letter'] as const
const TO_CREATE: readonly Right[] = (['CREATE', 'ALTER', 'DESCRIBE_CONFIGS'] as const).flatMap((operation) =>
  TOPICS.map((on) => ({ operation, on })),
)
const without = (operation: Right['operation']): readonly Right[] =>
  TO_CREATE.filter((right) => right.operation !== operation)

const userWithout = ({ operation, on }: Right): string => `without ${operation} ${on}`.replaceAll(/\W/g, '_')

let kafka: SecuredKafka
let admin: Admin
let run: Run
let sentSoFar = 0

beforeAll(async () => {
  const users = [SERVICE, MAKER, REDRIVER, NO_REDRIVE, NO_CREATOR, NO_WIDENER, ...NEEDED.map(userWithout)]
  kafka = await startSecuredKafka({
    plain: Object.fromEntries(users.map((user) => [user, PASSWORD])),
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // The broker itself and the test, which need no login.
      'super.users': 'User:ANONYMOUS',
    },
  })
  admin = connectTo([kafka.internal]).admin()
  await admin.connect()
  run = await startRun({
    brokers: [kafka.internal],
    partitions: 2,
    settings: loginOf(SERVICE),
    settingsToPrepare: loginOf(MAKER),
    beforeTopics: async (environment) => {
      await grant(environment, SERVICE, NEEDED)
      await grant(environment, MAKER, TO_CREATE)
      await grant(environment, REDRIVER, TO_REDRIVE)
      await grant(environment, NO_REDRIVE, TO_READ_DEAD_LETTERS)
      await grant(environment, NO_CREATOR, without('CREATE'))
      await grant(environment, NO_WIDENER, without('ALTER'))
      for (const right of NEEDED) {
        const others = NEEDED.filter((one) => one !== right)
        await grant({ ...environment, groupId: userWithout(right) }, userWithout(right), others)
      }
    },
  })
})

afterAll(async () => {
  await run.close()
  await admin.disconnect()
  await kafka.stop()
})

test('the rights in docs/operations.md are enough to process every event exactly once', async () => {
  const service = await run.startReplica()
  const sent = await sendSome()
  await run.untilOut(sent)
  expect(await service.stop()).toBe(0)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  expect(complaints(service)).toEqual([])
})

describe.concurrent('the service names a missing right:', () => {
  test.for(NEEDED.map((right) => [`${right.operation} on ${right.on}`, right] as const))(
    '%s',
    async ([, right], { onTestFinished }) => {
      const login = { ...loginOf(userWithout(right)), KAFKA_GROUP_ID: userWithout(right) }
      const service = await startService({ ...run.environment.env, ...login }, onTestFinished)
      await sendSome()
      const [said] = await service.line(right.message)
      expect(said).toContain(right.operation)
    },
  )
})

describe('"dlq redrive"', () => {
  test('names the transactional id on which it needs a right', async () => {
    const { code, stderr } = await redriveAs(NO_REDRIVE)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/grant WRITE on the transactional id that is KAFKA_DEAD_LETTER_TOPIC/),
    })
  })

  test('redrives dead letters with the rights in docs/dead-letters.md', async () => {
    const { code, stdout, stderr } = await redriveAs(REDRIVER)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/[1-9]\d* dead letters? redriven\./)
  })
})

describe('"topics create"', () => {
  test('names the missing right to create topics', async () => {
    const { code, stderr } = await createTopics(NO_CREATOR, { KAFKA_RESULT_TOPIC: 'not-there-yet' })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/grant CREATE, ALTER/) })
  })

  test('names the missing rights to describe and to alter existing topics', async () => {
    const { code, stderr } = await createTopics(NO_WIDENER)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/grant CREATE, ALTER/) })
  })

  test('finds and widens existing topics with the rights in docs/operations.md', async () => {
    await admin.createPartitions({ topicPartitions: [{ topic: run.topics.input, count: 3 }] })
    await expect
      .poll(async () => createTopics(MAKER), { timeout: 30_000 })
      .toMatchObject({ code: 0, stdout: expect.stringContaining('from 2 to 3 partitions') })
  })
})

test('docs/operations.md lists the rights that these tests use', async () => {
  const page = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| (service|`topics create`) +\| ([A-Z_, ]+?) +\| (.+?) +\|$/gm)]
  const found = (command: string): string[] =>
    rows
      .filter(([, who]) => who === command)
      .flatMap(([, , operations = '', targets = '']) =>
        operations
          .split(', ')
          .flatMap((operation) => targets.split(', ').map((on) => `${operation} on ${on}`)),
      )
      .sort()
  expect(found('service')).toEqual(listed(NEEDED))
  expect(found('`topics create`')).toEqual(listed(TO_CREATE))
})

const KINDS = ['passhkid2018', 'notyet', 'invalidid'] as const

/** The first call for such an event is answered with "not completed". */
function sendSome(): Promise<Coordinates[]> {
  return run.send(
    Array.from({ length: 12 }, () => {
      sentSoFar += 1
      const event = eventFor({ name: KINDS[sentSoFar % KINDS.length] ?? '', docType: null }, sentSoFar)
      return { key: event.transactionId, value: run.encode(event) }
    }),
  )
}

function listed(rights: readonly Right[]): string[] {
  return rights.map(({ operation, on }) => `${operation} on ${on}`).sort()
}

function redriveAs(user: string): Promise<Finished> {
  return runCommand(['dlq', 'redrive', '--execute'], { ...run.environment.env, ...loginOf(user) })
}

function createTopics(user: string, settings: Env = {}): Promise<Finished> {
  const command = ['topics', 'create', '--partitions', '2', '--replication-factor', '1']
  return runCommand(command, { ...run.environment.env, ...loginOf(user), ...settings })
}

function loginOf(user: string): Env {
  return {
    ...kafka.settings,
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: PASSWORD,
  }
}

async function grant(environment: Environment, user: string, rights: readonly Right[]): Promise<void> {
  const acl = rights.map(({ operation, on }): AclEntry => {
    const { kind, name, isPrefix = false } = resourceOf(environment, on)
    return {
      principal: `User:${user}`,
      host: '*',
      permissionType: kafkajs.AclPermissionTypes.ALLOW,
      operation: MAY[operation],
      resourceType: kind,
      resourceName: name,
      resourcePatternType: isPrefix ? PATTERN.PREFIXED : PATTERN.LITERAL,
    }
  })
  await admin.createAcls({ acl })
}

interface Resource {
  readonly kind: number
  readonly name: string
  readonly isPrefix?: boolean
}

function resourceOf({ topics, groupId }: Pick<Environment, 'topics' | 'groupId'>, on: Target): Resource {
  switch (on) {
    case 'input':
      return { kind: KIND.TOPIC, name: topics.input }
    case 'result':
      return { kind: KIND.TOPIC, name: topics.result }
    case 'dead-letter':
      return { kind: KIND.TOPIC, name: topics.deadLetter }
    case 'retry':
      return { kind: KIND.TOPIC, name: `${topics.retryPrefix}.`, isPrefix: true }
    case 'group':
      return { kind: KIND.GROUP, name: groupId }
    case 'redrive':
      return { kind: KIND.TRANSACTIONAL_ID, name: `${topics.deadLetter}-redrive` }
    case 'transactional ids':
      return { kind: KIND.TRANSACTIONAL_ID, name: `${groupId}-`, isPrefix: true }
  }
}
