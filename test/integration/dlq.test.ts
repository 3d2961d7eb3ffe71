import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand, type Finished } from '../../dev/harness/commands.ts'
import { encodeJson, eventFor } from '../../dev/harness/events.ts'
import type { ServiceProcess } from '../../dev/harness/service.ts'
import { connectTo, readCommitted, type ReadRecord } from '../support/kafka.ts'
import { decodeResult, header } from '../support/outputs.ts'
import { newEnvironment, startRun, type Run } from '../support/run.ts'

/** The fictitious person whose name must not appear. */
const MARK = 'ZQXJKVPERSON'
const MARKED = new RegExp(MARK, 'i')
const PARTITIONS = 2
const UNAVAILABLE = 4
const MAX_REDRIVES = 2

describe('the dead letters of a service', () => {
  let run: Run
  let replica: ServiceProcess
  const said: string[] = []

  beforeAll(async () => {
    run = await startRun({
      partitions: PARTITIONS,
      settings: { DEFER_MAX_AGE: '1s', DEAD_LETTER_MAX_REDRIVES: String(MAX_REDRIVES) },
    })
    run.simulator.setFaults({ all: 'down' })
    const events = Array.from({ length: UNAVAILABLE }, (_, number) =>
      eventFor({ name: 'passpassport', docType: null }, number),
    )
    const sent = await run.send([
      ...events.map((event) => ({
        key: `${MARK}${event.transactionId}`,
        value: run.encode(event),
        headers: { 'trace-id': MARK },
      })),
      { key: MARK, value: encodeJson({ ...eventFor({ name: 'x', docType: MARK }, 9), merchantBizId: '' }) },
      { key: null, value: `{${MARK}` },
    ])
    replica = await run.startReplica()
    await run.untilOut(sent)
  })

  afterAll(async () => run.close())

  async function dlq(...args: readonly string[]): Promise<Finished> {
    const finished = await runCommand(['dlq', ...args], run.environment.env)
    if (!args.includes('--show-personal')) said.push(finished.stdout, finished.stderr)
    return finished
  }

  /** The output contains transaction ids, so the privacy check skips it. */
  async function dlqWithIds(...args: readonly string[]): Promise<Finished> {
    return runCommand(['dlq', ...args], run.environment.env)
  }

  async function listed(...args: readonly string[]): Promise<{ total: number; deadLetters: Listed[] }> {
    const { code, stdout, stderr } = await dlq('list', '--json', ...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout) as { total: number; deadLetters: Listed[] }
  }

  // Concurrent, because these commands change nothing.
  test.concurrent('are listed with their DLQ position, reason and source position', async () => {
    const { total, deadLetters } = await listed()
    expect(total).toBe(UNAVAILABLE + 2)
    const stored = run.deadLetters()
    expect(deadLetters.map(({ position }) => position).toSorted()).toEqual(
      stored.map(({ partition, offset }) => `${partition}:${offset}`).toSorted(),
    )
    for (const { position, source, reason, code, failedAt } of deadLetters) {
      const record = stored.find(({ partition, offset }) => position === `${partition}:${offset}`)
      if (record === undefined) throw new Error(`There is no record at ${position}.`)
      expect({ reason, code, failedAt }).toEqual({
        reason: header(record, 'checkresult-reason'),
        code: header(record, 'checkresult-code'),
        failedAt: header(record, 'checkresult-failed-at'),
      })
      expect(source?.offset).toBe(header(record, '__connect.errors.offset'))
    }
    const times = deadLetters.map(({ failedAt }) => Date.parse(failedAt))
    expect(times).toEqual(times.toSorted((left, right) => right - left))
  })

  test.concurrent('are a table without options, newest first, with the number of further ones', async () => {
    const { stdout } = await dlq('list', '--limit', '2')
    const [head = '', ...lines] = stdout.trimEnd().split('\n')
    expect(head.split(/\s{2,}/)).toEqual([
      'POSITION',
      'REASON',
      'CODE',
      'AGE',
      'ATTEMPTS',
      'EARLIER REDRIVES',
      'EVENT',
    ])
    expect(lines).toHaveLength(3)
    expect(lines[2]).toBe(`${UNAVAILABLE} older dead letters not shown: use --limit to show more.`)
  })

  test.concurrent('are filtered by reason, code, position and age', async () => {
    const [unavailable, broken, newest, older, newer] = await Promise.all([
      listed('--reason', 'unavailable'),
      listed('--code', 'malformed-json', '--code', 'invalid-event'),
      listed('--limit', '1'),
      listed('--older-than', '1h'),
      listed('--newer-than', '1h'),
    ])
    expect([unavailable.total, broken.total]).toEqual([UNAVAILABLE, 2])
    expect((await listed('--at', newest.deadLetters[0]?.position ?? '')).deadLetters).toEqual(
      newest.deadLetters,
    )
    expect([older.total, newer.total]).toEqual([0, UNAVAILABLE + 2])
  })

  test.concurrent(
    'are found by transaction id with the schemas of the registry, and ids are shown only on request',
    async () => {
      const [found, all] = await Promise.all([
        dlqWithIds('list', '--json', '--transaction-id', 'passpassportx2'),
        dlqWithIds('list', '--show-transaction-ids'),
      ])
      const { total, deadLetters } = JSON.parse(found.stdout) as {
        total: number
        deadLetters: ListedWithId[]
      }
      expect([total, deadLetters.map(({ transactionId }) => transactionId)]).toEqual([1, ['passpassportx2']])
      expect(all.stdout).toMatch(/EVENT +TRANSACTION\n/)
      for (const number of [0, 1, 2, 3]) expect(all.stdout).toContain(`passpassportx${number}`)
      expect(all.stdout).toContain('The transaction of 2 events cannot be read: 2 invalid.')
      expect(all.stdout).not.toMatch(MARKED)
    },
  )

  test.concurrent(
    'in Avro cannot be searched by transaction id without a registry, and the command says so',
    async () => {
      const { SCHEMA_REGISTRY_URL: _, ...env } = run.environment.env
      const { code, stdout } = await runCommand(['dlq', 'list', '--transaction-id', 'passpassportx2'], env)
      expect(code).toBe(0)
      expect(stdout).toBe(
        'No dead letters of this transaction.\n' +
          `The transaction of ${UNAVAILABLE + 2} events cannot be read: 2 invalid; ${UNAVAILABLE} in Avro, and SCHEMA_REGISTRY_URL is not set.\n`,
      )
    },
  )

  test.concurrent('are counted', async () => {
    const { stdout } = await dlq('stats', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ waiting: UNAVAILABLE + 2, redriven: 0, other: 0 })
    expect((await dlq('stats')).stdout).toMatch(/^unavailable +ServiceUnavailable +4 +0 /m)
  })

  test.concurrent(
    "are shown one by one, with value, key and the producer's headers only on request",
    async () => {
      const { deadLetters } = await listed('--reason', 'unavailable', '--limit', '1')
      const { stdout } = await dlq('show', deadLetters[0]?.position ?? '')
      expect(stdout).toMatch(/^reason +unavailable$/m)
      expect(stdout).toMatch(/^readable +yes$/m)
      expect(stdout).toMatch(/^own headers +1 header$/m)
      const personal = await dlq('show', deadLetters[0]?.position ?? '', '--show-personal')
      const json = await dlq('show', '--json', deadLetters[0]?.position ?? '')
      expect(JSON.parse(json.stdout)).toMatchObject({ ...deadLetters[0], readable: true, ownHeaders: 1 })
      expect(personal.stdout).toMatch(/^key: ZQXJKVPERSONpasspassportx\d$/m)
      expect(personal.stdout).toMatch(/"transactionId": "passpassportx\d"/)
      expect(personal.stdout).toContain(`"trace-id": ${MARK}`)
    },
  )

  test.concurrent('that do not exist give an error message', async () => {
    const { code, stdout, stderr } = await dlq('show', '0:99999')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe('There is no dead letter at 0:99999: run `dlq list` for the positions.\n')
  })

  test('are not redriven by a dry run, which reports what it would redrive', async () => {
    const before = await topicEnd(run)
    const { code, stdout } = await dlq('redrive', '--reason', 'unavailable')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^unavailable +ServiceUnavailable +4 +0$/m)
    expect(stdout).toContain('Dry run: 4 dead letters would be redriven. Add --execute to redrive them.')
    expect(await topicEnd(run)).toEqual(before)
    expect((await listed()).total).toBe(UNAVAILABLE + 2)
  })

  test('have results once redriven after the cause is fixed, and are not listed again', async () => {
    run.simulator.setFaults({})
    const { code, stdout } = await dlq('redrive', '--reason', 'unavailable', '--execute')
    expect({ code, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
      code: 0,
      last: `${UNAVAILABLE} dead letters redriven.`,
    })
    await run.outputs.until(() => run.results().length === UNAVAILABLE)
    expect(run.results().map((record) => decodeResult(record).transactionId)).toEqual(
      expect.arrayContaining(['passpassportx0', 'passpassportx1', 'passpassportx2', 'passpassportx3']),
    )
    const again = await dlq('redrive', '--reason', 'unavailable', '--execute')
    expect(again.stdout).toBe('0 dead letters redriven.\n')
    expect((await listed()).total).toBe(2)
    expect((await listed('--redriven')).total).toBe(UNAVAILABLE)
    expect((await dlq('stats')).stdout).toContain(`2 waiting, ${UNAVAILABLE} redriven.`)
    const metrics = await replica.metrics()
    expect(metrics).toMatch(/checkresult_quota_wait_seconds_count\{priority="redriven"\} 4/)
  })

  test('are redriven unchanged, with the number of redrives and without our other headers', async () => {
    const records = await readCommitted([run.topics.input], { until: 2 * UNAVAILABLE + 2 })
    const back = records.filter((record) => header(record, 'checkresult-redrives') !== '')
    expect(back).toHaveLength(UNAVAILABLE)
    for (const { key, value, partition, headers } of back) {
      const first = records.find((one) => one.key?.equals(key ?? Buffer.alloc(0)))
      expect([first?.value?.equals(value ?? Buffer.alloc(0)), first?.partition]).toEqual([true, partition])
      expect(Object.keys(headers).toSorted()).toEqual(['checkresult-redrives', 'trace-id'])
    }
  })

  test('that fail each time are reported after DEAD_LETTER_MAX_REDRIVES and not redriven again', async () => {
    for (let round = 1; round <= MAX_REDRIVES; round += 1) {
      const { stdout } = await dlq('redrive', '--reason', 'undecodable', '--execute')
      expect(stdout).toContain('2 dead letters redriven.')
      const failed = (record: ReadRecord): boolean => header(record, 'checkresult-redrives') === String(round)
      await run.outputs.until(() => run.deadLetters().filter(failed).length === 2)
    }
    const before = await topicEnd(run)
    const { code, stdout } = await dlq('redrive', '--execute')
    const { deadLetters } = await listed()
    expect(deadLetters.map(({ redrives }) => redrives)).toEqual([MAX_REDRIVES, MAX_REDRIVES])
    expect(code).toBe(0)
    expect(stdout).toContain('0 dead letters redriven.')
    for (const { position } of deadLetters)
      expect(stdout).toMatch(new RegExp(`2 dead letters skipped.*\\b${position}\\b`))
    expect(await topicEnd(run)).toEqual(before)
  })

  test('leave no personal data in the output of the commands', () => {
    expect(said.join('').length).toBeGreaterThan(1_000)
    expect(said.join('')).not.toMatch(MARKED)
    expect(said.join('')).not.toMatch(/passpassport/)
  })
})

interface ListedWithId {
  readonly transactionId: string
}

interface Listed {
  readonly position: string
  readonly reason: string
  readonly code: string
  readonly redrives: number
  readonly failedAt: string
  readonly source: { readonly offset: string } | null
}

async function topicEnd({ topics }: Run): Promise<readonly string[]> {
  const admin = connectTo().admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets(topics.input)
  await admin.disconnect()
  return offsets.map(({ partition, high }) => `${partition}:${high}`).toSorted()
}

test.concurrent.each([[['list']], [['stats']], [['show', '0:0']], [['redrive', '--execute']]])(
  'dlq %j names the dead-letter topic and its setting if it does not exist',
  async (args) => {
    const { env } = newEnvironment()
    const { code, stdout, stderr } = await runCommand(['dlq', ...args], env)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `Topic ${env['KAFKA_DEAD_LETTER_TOPIC']} does not exist. Check KAFKA_DEAD_LETTER_TOPIC, or create the topic with ` +
        '`npm start -- topics create --partitions 8 --replication-factor 3`.\n',
    )
  },
)
