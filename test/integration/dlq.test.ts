import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { runCommand, startCommand, type Finished } from '../../dev/harness/commands.ts'
import { createEnvironment } from '../../dev/harness/environment.ts'
import { encodeJson, eventFor } from '../../dev/harness/events.ts'
import type { ServiceProcess } from '../../dev/harness/service.ts'
import { connectTo, readCommitted, type ReadRecord } from '../support/kafka.ts'
import { decodeResult, header, readToTheEnd, watchCommitted } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

/** The fictitious person whose name must not be seen. */
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

  async function listed(...args: readonly string[]): Promise<{ total: number; deadLetters: Listed[] }> {
    const { code, stdout, stderr } = await dlq('list', '--json', ...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout) as { total: number; deadLetters: Listed[] }
  }

  // These change nothing.
  test.concurrent('are listed with where they stand, why, and where their events stood', async () => {
    const { total, deadLetters } = await listed()
    expect(total).toBe(UNAVAILABLE + 2)
    const stored = run.deadLetters()
    expect(deadLetters.map(({ position }) => position).toSorted()).toEqual(
      stored.map(({ partition, offset }) => `${partition}:${offset}`).toSorted(),
    )
    for (const { position, source, reason, code, failedAt } of deadLetters) {
      const record = stored.find(({ partition, offset }) => position === `${partition}:${offset}`)
      if (record === undefined) throw new Error(`Nothing stands at ${position}.`)
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

  test.concurrent(
    'are a table without options, the newest first, and it says how many more there are',
    async () => {
      const { stdout } = await dlq('list', '--limit', '2')
      const [head = '', ...lines] = stdout.trimEnd().split('\n')
      expect(head.split(/\s+/)).toEqual(['AT', 'REASON', 'CODE', 'AGE', 'ATTEMPTS', 'REDRIVES', 'EVENT'])
      expect(lines).toHaveLength(3)
      expect(lines[2]).toBe(`and ${UNAVAILABLE} older ones: --limit shows more.`)
    },
  )

  test.concurrent('are chosen by reason, code, place and age', async () => {
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

  test.concurrent('are counted', async () => {
    const { stdout } = await dlq('stats', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ waiting: UNAVAILABLE + 2, redriven: 0, other: 0 })
    expect((await dlq('stats')).stdout).toMatch(/^unavailable +ServiceUnavailable +4 +0 /m)
  })

  test.concurrent(
    'are shown one by one, with the value, the key and own headers only when asked for',
    async () => {
      const { deadLetters } = await listed('--reason', 'unavailable', '--limit', '1')
      const { stdout } = await dlq('show', deadLetters[0]?.position ?? '')
      expect(stdout).toMatch(/^reason +unavailable$/m)
      expect(stdout).toMatch(/^decodes +yes$/m)
      expect(stdout).toMatch(/^own headers +1 header$/m)
      const personal = await dlq('show', deadLetters[0]?.position ?? '', '--show-personal')
      expect(personal.stdout).toMatch(/^key: ZQXJKVPERSONpasspassportx\d$/m)
      expect(personal.stdout).toMatch(/"transactionId": "passpassportx\d"/)
      expect(personal.stdout).toContain(`"trace-id": ${MARK}`)
    },
  )

  test.concurrent('that are not there are not shown, with a message', async () => {
    const { code, stdout, stderr } = await dlq('show', '0:99999')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe('No dead letter stands at 0:99999: `dlq list` shows where they are.\n')
  })

  test('are left alone by a dry run, which says what would go', async () => {
    const before = await topicEnd(run)
    const { code, stdout } = await dlq('redrive', '--reason', 'unavailable')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^unavailable +ServiceUnavailable +4 +0$/m)
    expect(stdout).toContain('4 letters would be put back: --execute does it.')
    expect(await topicEnd(run)).toEqual(before)
    expect((await listed()).total).toBe(UNAVAILABLE + 2)
  })

  test('have their results when they are put back with the cause gone, and are left out from then on', async () => {
    run.simulator.setFaults({})
    const { code, stdout } = await dlq('redrive', '--reason', 'unavailable', '--execute')
    expect({ code, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
      code: 0,
      last: `${UNAVAILABLE} letters put back.`,
    })
    await run.outputs.until(() => run.results().length === UNAVAILABLE)
    expect(run.results().map((record) => decodeResult(record).transactionId)).toEqual(
      expect.arrayContaining(['passpassportx0', 'passpassportx1', 'passpassportx2', 'passpassportx3']),
    )
    const again = await dlq('redrive', '--reason', 'unavailable', '--execute')
    expect(again.stdout).toBe('0 letters put back.\n')
    expect((await listed()).total).toBe(2)
    expect((await listed('--redriven')).total).toBe(UNAVAILABLE)
    expect((await dlq('stats')).stdout).toContain(`2 waiting, ${UNAVAILABLE} put back.`)
    const metrics = await replica.metrics()
    expect(metrics).toMatch(/checkresult_quota_wait_seconds_count\{priority="redriven"\} 4/)
  })

  test('go back as they came, with the number of redrives and without our other headers', async () => {
    const records = await readCommitted([run.topics.input], { until: 2 * UNAVAILABLE + 2 })
    const back = records.filter((record) => header(record, 'checkresult-redrives') !== '')
    expect(back).toHaveLength(UNAVAILABLE)
    for (const { key, value, partition, headers } of back) {
      const first = records.find((one) => one.key?.equals(key ?? Buffer.alloc(0)))
      expect([first?.value?.equals(value ?? Buffer.alloc(0)), first?.partition]).toEqual([true, partition])
      expect(Object.keys(headers).toSorted()).toEqual(['checkresult-redrives', 'trace-id'])
    }
  })

  test('that fail each time stay after DEAD_LETTER_MAX_REDRIVES, are named, and go no more', async () => {
    for (let round = 1; round <= MAX_REDRIVES; round += 1) {
      const { stdout } = await dlq('redrive', '--reason', 'undecodable', '--execute')
      expect(stdout).toContain('2 letters put back.')
      const failed = (record: ReadRecord): boolean => header(record, 'checkresult-redrives') === String(round)
      await run.outputs.until(() => run.deadLetters().filter(failed).length === 2)
    }
    const before = await topicEnd(run)
    const { code, stdout } = await dlq('redrive', '--execute')
    const { deadLetters } = await listed()
    expect(deadLetters.map(({ redrives }) => redrives)).toEqual([MAX_REDRIVES, MAX_REDRIVES])
    expect(code).toBe(0)
    expect(stdout).toContain('0 letters put back.')
    for (const { position } of deadLetters)
      expect(stdout).toMatch(new RegExp(`2 letters stay.*\\b${position}\\b`))
    expect(await topicEnd(run)).toEqual(before)
  })

  test('are in nothing that was said', () => {
    expect(said.join('').length).toBeGreaterThan(1_000)
    expect(said.join('')).not.toMatch(MARKED)
    expect(said.join('')).not.toMatch(/passpassport/)
  })
})

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

test.concurrent.each([
  [['list'], /^A topic does not exist: create the topics with `npm start -- topics create/],
  [['stats'], /^A topic does not exist/],
  [['show', '0:0'], /^A topic does not exist/],
  [['redrive', '--execute'], /^A topic does not exist/],
])('without topics, dlq %j says what to do', async (args, message) => {
  const { env } = createEnvironment(
    { brokers: inject('brokers'), registryUrl: inject('registryUrl'), endpoint: 'http://127.0.0.1:1' },
    { shared: true },
  )
  const { code, stdout, stderr } = await runCommand(['dlq', ...args], env)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(message)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
})

describe.concurrent('a redrive of many', () => {
  const DEAD_LETTERS = 10_000

  interface Many {
    readonly run: Run
    /** The redriven events, by what stood where the dead letter came from. */
    readonly back: () => readonly string[]
    readonly untilSome: () => Promise<void>
    readonly toTheEnd: () => Promise<readonly string[]>
  }

  /** Each event's number is its value. */
  async function deadLetters(onTestFinished: (close: () => Promise<void>) => void): Promise<Many> {
    const run = await startRun({ partitions: PARTITIONS, settings: { DEAD_LETTER_LIMIT: 'off' } })
    onTestFinished(run.close)
    const sent = await run.send(
      Array.from({ length: DEAD_LETTERS }, (_, number) => ({ value: `{${number}` })),
    )
    const replica = await run.startReplica()
    await run.untilOut(sent)
    await replica.stop()
    const kafka = connectTo()
    const input = await watchCommitted(kafka, [run.topics.input])
    onTestFinished(async () => input.close())
    const producer = kafka.producer()
    await producer.connect()
    onTestFinished(async () => producer.disconnect())
    const back = (): string[] =>
      input.records
        .filter((record) => header(record, 'checkresult-redrives') === '1')
        .map(({ value }) => String(value))
    return {
      run,
      back,
      untilSome: () => input.until(() => back().length > 0),
      toTheEnd: async () => {
        await readToTheEnd(input, producer, new Map([[run.topics.input, PARTITIONS]]))
        return back()
      },
    }
  }

  const ALL = Array.from({ length: DEAD_LETTERS }, (_, number) => `{${number}`).toSorted()

  test('that is killed midway has lost and repeated nothing when it is run again', async ({
    onTestFinished,
  }) => {
    const { run, back, untilSome, toTheEnd } = await deadLetters(onTestFinished)
    const killed = startCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    await untilSome()
    killed.signal('SIGKILL')
    await killed.exited
    expect(back().length).toBeLessThan(DEAD_LETTERS)
    const { code, stdout } = await runCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    expect(code).toBe(0)
    expect(stdout).not.toContain(`${DEAD_LETTERS} letters put back.`)
    expect((await toTheEnd()).toSorted()).toEqual(ALL)
  })

  test('that is told to stop ends after the transaction in hand and says how far it came', async ({
    onTestFinished,
  }) => {
    const { run, untilSome, toTheEnd } = await deadLetters(onTestFinished)
    const stopped = startCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    await untilSome()
    // Twice, as under npm, which hands on what the terminal sends to both.
    stopped.signal('SIGTERM')
    expect(await stopped.stop()).toBe(1)
    expect(stopped.output()).toContain('Interrupted: run it again, and it goes on from there.')
    const [, count] = /(\d+) letters put back/.exec(stopped.output()) ?? []
    expect(await toTheEnd()).toHaveLength(Number(count))
    expect(Number(count)).toBeLessThan(DEAD_LETTERS)
    await runCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    expect((await toTheEnd()).toSorted()).toEqual(ALL)
  })

  test('S19: gives way to a second one that is started meanwhile, also by another group', async ({
    onTestFinished,
  }) => {
    const { run, untilSome, toTheEnd } = await deadLetters(onTestFinished)
    const first = startCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    await untilSome()
    // Held in the midst, perhaps with a transaction open, until the second one has done all.
    first.signal('SIGSTOP')
    const other = { ...run.environment.env, KAFKA_GROUP_ID: `${run.environment.groupId}.other` }
    const second = await runCommand(['dlq', 'redrive', '--execute'], other)
    first.signal('SIGCONT')
    expect(second.code).toBe(0)
    expect(await first.exited).toBe(1)
    expect(first.output()).toContain('Another redrive of this dead-letter topic took over')
    expect((await toTheEnd()).toSorted()).toEqual(ALL)
  })
})
