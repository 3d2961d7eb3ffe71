import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../dev/harness/commands.ts'
import { encodeJson, eventFor } from '../../dev/harness/events.ts'
import type { ServiceProcess } from '../../dev/harness/service.ts'
import { decodeResult, EXACTLY_ONCE, type Coordinates } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

/** The fictitious person whose name and number must not appear. */
const MARK = 'ZQXJKVPERSON'
const MARKED = new RegExp(MARK, 'i')

interface Answer {
  readonly status: number
  readonly body: string
}

/** Answers by the prefix of the transaction id. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  passed: success({ ExtIdInfo: extIdInfo() }),
  refused: failure(400, 'TransactionIdInvalid'),
  unknown: failure(400, 'SomethingNobodyDocumented'),
  personincode: failure(400, `Unknown person ${MARK} <>`),
  notyet: failure(404, 'ProcessNotCompleted'),
  broken: success({ ExtIdInfo: `${extIdInfo().slice(0, -1)},}` }),
  brokenbody: { status: 200, body: `{"Code":"Success","Result":{"Passed":"Y","ExtIdInfo":"${MARK}` },
  noverdict: success({ Passed: undefined, ExtIdInfo: extIdInfo() }),
  strange: success({ Passed: MARK, SubCode: MARK, ExtIdInfo: extIdInfo() }),
  html: { status: 502, body: `<html>${MARK}</html>` },
  down: failure(503, 'ServiceUnavailable'),
}

/** Secrets of the account and the registry. Tests of broker logins search for those. */
const SECRET = 'QJXZSECRET'
const MARKED_SECRET = new RegExp(SECRET, 'i')
const SECRETS = {
  ALIBABA_CLOUD_ACCESS_KEY_ID: `${SECRET}1`,
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: `${SECRET}2`,
  ALIBABA_CLOUD_SECURITY_TOKEN: `${SECRET}3`,
  SCHEMA_REGISTRY_USERNAME: 'checkresult',
  SCHEMA_REGISTRY_PASSWORD: `${SECRET}4`,
}

const NAMES = Object.keys(ANSWERS)
const EVENT = eventFor({ name: 'passed', docType: null }, 99)

let run: Run
let replica: ServiceProcess
let pages: string
let exitCode: number | null
let sent: Coordinates[]

beforeAll(async () => {
  const endpoint = await startMarkedApi()
  run = await startRun({
    endpoint,
    settings: {
      LOG_LEVEL: 'debug',
      DEFER_DELAYS: '1s',
      DEFER_MAX_AGE: '3s',
      SHUTDOWN_DEADLINE: '13s',
      ...SECRETS,
    },
  })
  const events = NAMES.map((name, number) => eventFor({ name, docType: '01000000' }, number))
  const marked = { ...EVENT, docType: MARK, passed: 7, surname: MARK }
  sent = await run.send([
    ...events.map((event) => ({ key: event.transactionId, value: run.encode(event) })),
    { key: 'undecodable', value: JSON.stringify(marked) },
    { key: 'undecodable', value: encodeJson({ ...EVENT, transactionId: MARK }).subarray(0, -1) },
    { key: 'undecodable', value: Buffer.concat([run.encode(EVENT).subarray(0, 9), Buffer.from(MARK)]) },
  ])
  replica = await run.startReplica()
  await run.untilOut(sent)
  const paths = ['/', '/metrics', '/readyz', '/livez']
  pages = (await Promise.all(paths.map(async (path) => (await fetch(replica.opsUrl + path)).text()))).join(
    '\n',
  )
  exitCode = await replica.stop()
})

afterAll(async () => run.close())

describe("the marked person's data is", () => {
  test('in the result topic, as configured', () => {
    const passed = run
      .results()
      .map(decodeResult)
      .find(({ transactionId }) => transactionId.startsWith('passed'))
    expect(passed?.document?.fields?.surname).toBe(MARK)
  })

  test('processed: every event has an output, and the service exited normally', async () => {
    expect(exitCode).toBe(0)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  })

  test('in no log line of the process', () => {
    expect(replica.output()).toContain('Stopped.')
    expect(replica.output()).not.toMatch(MARKED)
  })

  test('in no metric and on no page of the ops server', () => {
    expect(pages).toContain('checkresult_results_total')
    expect(pages).not.toMatch(MARKED)
  })

  test('in no header of a dead letter or a result', () => {
    expect(run.deadLetters().length).toBeGreaterThan(5)
    const headers = run.outputs.records.flatMap((record) => Object.entries(record.headers))
    expect(headers.map(([name, value]) => `${name}: ${String(value)}`).join('\n')).not.toMatch(MARKED)
  })
})

test('secrets appear in no log line, page or record, nor in the output of "config check"', async () => {
  const { code, stdout } = await runCommand(['config', 'check'], run.environment.env)
  expect(code).toBe(0)
  const records = run.outputs.records.map(({ value, headers }) => [value, ...Object.values(headers)].join())
  expect([stdout, pages, replica.output(), ...records].join('\n')).not.toMatch(MARKED_SECRET)
})

function startMarkedApi(): Promise<string> {
  const server = createServer((request, response) => {
    const id = new URL(request.url ?? '/', 'http://api').searchParams.get('TransactionId') ?? ''
    const [name = ''] = id.split('x')
    const { status, body } = ANSWERS[name] ?? failure(500, 'InternalError')
    request.resume()
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body)
  })
  server.unref()
  server.listen(0, '127.0.0.1')
  return once(server, 'listening').then(() => `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

function extIdInfo(): string {
  const ocrIdInfo = {
    surname: MARK,
    givenname: MARK,
    passportNo: `${MARK}0`,
    birthDate: MARK,
    favorite: MARK,
  }
  const spoofInfo = { spoofResult: 'N', spoofType: [MARK] }
  return JSON.stringify({ ocrIdInfo, ocrIdEditInfo: { surname: `${MARK}E` }, ocrIdPassed: MARK, spoofInfo })
}

function success(result: Readonly<Record<string, unknown>>): Answer {
  const body = {
    Code: 'Success',
    Message: MARK,
    RequestId: 'R',
    Result: { Passed: 'Y', SubCode: '200', ...result },
  }
  return { status: 200, body: JSON.stringify(body) }
}

function failure(status: number, code: string): Answer {
  return {
    status,
    body: JSON.stringify({ Code: code, Message: `About ${MARK}`, RequestId: 'R', HostId: MARK }),
  }
}
