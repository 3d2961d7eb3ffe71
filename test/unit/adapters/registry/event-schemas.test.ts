import { beforeEach, expect, test } from 'vitest'
import { EventSchemas } from '../../../../src/adapters/registry/event-schemas.ts'
import type { Lookup, RegisteredSchema } from '../../../../src/adapters/registry/registry.ts'
import { schemaJson } from '../../../../src/adapters/registry/schemas.ts'
import { FakeClock, flushPromises } from '../../../support/fake-clock.ts'
import { fakeMetrics, type RecordedMetrics } from '../../../support/fakes.ts'
import { recordingLog, type RecordingLog } from '../../../support/recording-log.ts'

const KNOWN = 7
const FOUND: Lookup<RegisteredSchema> = {
  kind: 'found',
  value: { schemaType: 'AVRO', schema: schemaJson('verification-completed'), referenced: [] },
}
const FAILED: Lookup<RegisteredSchema> = { kind: 'failed', status: null }
const BAD_GATEWAY: Lookup<RegisteredSchema> = { kind: 'failed', status: 404 }
const REFUSED: Lookup<RegisteredSchema> = { kind: 'refused' }

let clock: FakeClock
let log: RecordingLog
let metrics: RecordedMetrics
let schemas: EventSchemas
/** Replaces the registry's response this many times. */
let away: Lookup<RegisteredSchema>[]
let asked: number[]

beforeEach(() => {
  clock = new FakeClock()
  log = recordingLog()
  metrics = fakeMetrics()
  away = []
  asked = []
  const schemaById = (id: number): Promise<Lookup<RegisteredSchema>> => {
    asked.push(id)
    return Promise.resolve(away.shift() ?? (id === KNOWN ? FOUND : { kind: 'not-found', missing: null }))
  }
  schemas = new EventSchemas({ registry: { schemaById }, clock, log, metrics })
})

async function resolved(id: number) {
  const schema = schemas.get(id)
  await clock.advance(2_000)
  return schema
}

test('a schema that was found stays cached although thousands of unknown ids came since', async () => {
  await resolved(KNOWN)
  for (let id = 10_000; id < 13_000; id += 1) void schemas.get(id)
  await clock.advance(2_000)
  expect(schemas.get(KNOWN)).toMatchObject({ kind: 'avro' })
})

test('unknown ids are cached, too, up to the last thousand', async () => {
  for (let id = 10_000; id < 11_001; id += 1) void schemas.get(id)
  await clock.advance(2_000)
  expect(schemas.get(11_000)).toMatchObject({ kind: 'bad', code: 'unknown-schema' })
  expect(schemas.get(10_001)).toMatchObject({ kind: 'bad', code: 'unknown-schema' })
  expect(schemas.get(10_000)).toBeInstanceOf(Promise)
})

test('an unknown id is requested again after a minute, without a timer', async () => {
  await resolved(8)
  expect(clock.timers).toBe(0)
  await clock.advance(59_000)
  expect(schemas.get(8)).toBeInstanceOf(Promise)
  await clock.advance(2_000)
  expect(asked).toEqual([8, 8, 8, 8])
})

test('records that wait for the registry are counted, and each id is requested once', async () => {
  away = [FAILED, FAILED, FAILED]
  for (const id of [KNOWN, KNOWN, 8]) void schemas.get(id)
  await flushPromises()
  expect([schemas.waiting, metrics.of('registryWaiting').at(-1), asked]).toEqual([3, [3], [KNOWN, 8]])
  await clock.advance(5_000)
  expect([schemas.waiting, metrics.of('registryWaiting').at(-1)]).toEqual([0, [0]])
})

test('stopping ends all waits and sends no further request', async () => {
  away = Array.from({ length: 100 }, () => FAILED)
  const waiting = [schemas.get(KNOWN), schemas.get(8)]
  await flushPromises()
  schemas.stop()
  expect(await Promise.all(waiting.map(async (one) => one))).toEqual([null, null])
  expect(await schemas.get(9)).toBeNull()
  await clock.advance(60_000)
  expect([asked, clock.timers, schemas.waiting]).toEqual([[KNOWN, 8], 0, 0])
})

test('an outage is logged in one message when it begins, when it changes and when it ends', async () => {
  away = [FAILED, FAILED, REFUSED, REFUSED, FAILED, BAD_GATEWAY, BAD_GATEWAY]
  void schemas.get(KNOWN)
  await clock.advance(30_000)
  expect(log.lines.map(({ level, message, fields }) => [level, message, fields.reason])).toEqual([
    [
      'error',
      expect.stringMatching(
        / does not answer: check SCHEMA_REGISTRY_URL.+ Records with an unknown schema id wait/,
      ),
      'failed',
    ],
    ['error', expect.stringMatching(/ rejects the login: check SCHEMA_REGISTRY_USERNAME/), 'refused'],
    ['error', expect.stringMatching(/ does not answer/), 'failed'],
    ['error', expect.stringMatching(/ answers HTTP 404 instead of a schema/), 'failed'],
    ['info', 'The schema registry answers again.', undefined],
  ])
})
