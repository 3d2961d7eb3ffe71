import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import type { DocumentFamily, VerificationResult } from '../../src/core/records/schema-types.ts'
import { scenarioNamed, SCENARIOS, type Scenario } from '../../simulator/scenarios.ts'
import { readCommitted, type ReadRecord } from '../support/kafka.ts'
import { decodeResult, EXACTLY_ONCE, header, type Coordinates } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const DELAY_MS = 1_000

const FAMILY_OF_DOC_TYPE: Readonly<Record<string, DocumentFamily>> = {
  '00000006': 'HONG_KONG_IDENTITY_CARD',
  '00000008': 'HONG_KONG_IDENTITY_CARD',
  '00000007': 'EXIT_ENTRY_PERMIT_HONG_KONG_MACAO',
  '00000009': 'MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS',
  '01000000': 'PASSPORT',
  GLB03002: 'PASSPORT',
  MAC01001: 'MACAO_IDENTITY_CARD',
  '00000012': 'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS',
  '00000001': 'MAINLAND_RESIDENT_IDENTITY_CARD',
}

/** Number of counted calls, if not one. Throttled calls are not counted. */
const ATTEMPTS: Readonly<Record<string, number>> = {
  notyet: 2,
  pending: 2,
  flaky: 2,
  html502: 2,
  reset: 2,
  hang: 2,
  drip: 2,
  oversized: 2,
  error500: 2,
}

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const CODECS = ['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const

/** Scenarios whose ids contain the number of calls, and their expected outcomes. */
const LONGER = [
  { id: 'flaky3', attempts: 4, about: 'an event with three consecutive failed calls' },
  { id: 'notyet3', attempts: 4, about: 'a verification that is completed only at the fourth call' },
  { id: 'throttled3', attempts: 1, about: 'an event with three throttled calls' },
] as const

let run: Run
const sent: Coordinates[] = []

beforeAll(async () => {
  run = await startRun({
    settings: { CHECKRESULT_TIMEOUT: '1s', DEFER_DELAYS: '1s', DEFER_MAX_AGE: '6s' },
  })
  const traced = { traceparent: TRACEPARENT, other: 'x' }
  const scenarios = SCENARIOS.map((scenario, number) => eventFor(scenario, number))
  const longer = LONGER.map(({ id }, number) => ({
    ...eventFor({ name: id, docType: '00000008' }, number),
    transactionId: `${id}longer`,
  }))
  sent.push(
    ...(await run.send(
      [...scenarios, ...longer].map((event) => ({
        key: event.transactionId,
        value: run.encode(event),
        headers: traced,
      })),
    )),
  )
  for (const codec of CODECS) {
    const events = Array.from({ length: 20 }, (_, number) =>
      eventFor({ name: `passpassport${codec.toLowerCase()}`, docType: null }, number),
    )
    const messages = events.map((event) => ({ key: event.transactionId, value: run.encode(event) }))
    sent.push(...(await run.send(messages, kafkajs.CompressionTypes[codec])))
  }
  await run.startReplica()
  await run.untilOut(sent)
})

afterAll(async () => run.close())

describe('an event whose answer is', () => {
  test.each(SCENARIOS.filter(({ expected }) => expected.kind === 'result'))(
    '"$about" has its result',
    (scenario) => {
      const result = decodeResult(only(run.results(), idOf(scenario)))
      const { verdict, risk, document, attempts } = result
      expect({
        kind: 'result',
        verdict,
        risky: risk.detected,
        document: document !== null,
      }).toEqual(scenario.expected)
      expect(attempts).toBe(ATTEMPTS[scenario.name] ?? 1)
      expect([familyOf(scenario), undefined]).toContain(document?.family)
    },
  )

  test.each(SCENARIOS.filter(({ expected }) => expected.kind === 'dead-letter'))(
    '"$about" is a dead letter after one attempt',
    (scenario) => {
      const deadLetter = only(run.deadLetters(), idOf(scenario))
      expect({ kind: 'dead-letter', reason: header(deadLetter, 'checkresult-reason') }).toEqual(
        scenario.expected,
      )
      expect(header(deadLetter, 'checkresult-attempts')).toBe('1')
    },
  )

  test.each(SCENARIOS.filter(({ expected }) => expected.kind === 'deferred'))(
    '"$about" becomes a dead letter at its maximum age, after several attempts',
    (scenario) => {
      const deadLetter = only(run.deadLetters(), idOf(scenario))
      expect(header(deadLetter, 'checkresult-reason')).toBe('not-completed')
      expect(Number(header(deadLetter, 'checkresult-attempts'))).toBeGreaterThan(2)
    },
  )

  test.each(LONGER)('$about passes in the end, after $attempts counted calls', ({ id, attempts }) => {
    expect(decodeResult(only(run.results(), `${id}longer`))).toMatchObject({ verdict: 'PASSED', attempts })
  })
})

test('the document family comes from the docType, or else from the members of the answer', () => {
  expect(resultOf('passhkid2018').document?.familyFrom).toBe('DOC_TYPE')
  expect(resultOf('nodoctype').document?.familyFrom).toBe('FIELDS')
})

test('no deferred event is called again before it is due', async () => {
  const topic = `${run.topics.retryPrefix}.1s`
  const ids = SCENARIOS.filter(({ name }) => name === 'notyet' || name === 'pending').map(idOf)
  const copies = await readCommitted([topic], {
    until: (records) => ids.every((id) => records.some(({ key }) => key?.toString() === id)),
  })
  for (const id of ids) {
    const { checkedAt } = decodeResult(only(run.results(), id))
    expect(checkedAt - only(copies, id).timestampMs).toBeGreaterThanOrEqual(DELAY_MS)
  }
})

test.each(CODECS)('events compressed with %s are read', (codec) => {
  const prefix = `passpassport${codec.toLowerCase()}`
  expect(run.results().filter(({ key }) => key?.toString().startsWith(prefix))).toHaveLength(20)
})

test('results and dead letters keep the trace headers of their event, and results keep no others', () => {
  for (const record of run.deadLetters()) expect(header(record, 'traceparent')).toBe(TRACEPARENT)
  const { headers } = recordOf('notyet')
  expect(headers).toEqual({ traceparent: Buffer.from(TRACEPARENT) })
})

test('every output has the key and the partition of its event', () => {
  for (const { key, value, partition } of run.results()) {
    const { transactionId, source } = decodeResult({ value })
    expect({ key: key?.toString(), partition }).toEqual({ key: transactionId, partition: source.partition })
  }
})

test('each event has exactly one output in the end', async () => {
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
})

function idOf(scenario: Scenario): string {
  return eventFor(scenario, SCENARIOS.indexOf(scenario)).transactionId
}

function only(records: readonly ReadRecord[], id: string): ReadRecord {
  const [found, ...more] = records.filter(({ key }) => key?.toString() === id)
  if (found === undefined || more.length > 0)
    throw new Error(`${id} occurs ${found === undefined ? 0 : more.length + 1} times instead of once.`)
  return found
}

function recordOf(name: string): ReadRecord {
  const scenario = scenarioNamed(name)
  if (scenario === undefined) throw new Error(`There is no scenario ${name}.`)
  return only(run.results(), idOf(scenario))
}

function resultOf(name: string): VerificationResult {
  return decodeResult(recordOf(name))
}

function familyOf({ docType }: Scenario): DocumentFamily {
  return docType === null ? 'HONG_KONG_IDENTITY_CARD' : (FAMILY_OF_DOC_TYPE[docType] ?? 'OTHER')
}
