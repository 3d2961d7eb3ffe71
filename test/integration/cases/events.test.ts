/** Events and records from other producers, each followed by ten good events on the same partition. */
import { request as httpRequest, type RequestListener } from 'node:http'
import type { Message } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Environment } from '../../../dev/harness/environment.ts'
import { encodeJson, eventFor } from '../../../dev/harness/events.ts'
import { metricSum, type ServiceProcess } from '../../../dev/harness/service.ts'
import { serve } from '../../support/http-server.ts'
import { createTopics, type ReadRecord } from '../../support/kafka.ts'
import { decodeResult, header, sourceOf, type Coordinates } from '../../support/outputs.ts'
import { startRun, type Run } from '../../support/run.ts'
import { CASES, MARK, registerAll, type Case, type Expected } from './event-rows.ts'

const BEHIND = 10
const PARTITIONS = 2
/** A result topic that is wider than the input topic and compacted, so it rejects records without a key. */
const RESULT_PARTITIONS = 4

const closing: (() => unknown)[] = []

interface SentCase {
  readonly transactionId: string
  readonly at: Coordinates
  readonly behind: readonly Coordinates[]
}

describe.each(['exactly-once', 'at-least-once'])('%s', (delivery) => {
  let run: Run
  let service: ServiceProcess
  let results: ReadonlyMap<Coordinates, ReadRecord>
  let deadLetters: ReadonlyMap<Coordinates, ReadRecord>
  const sent = new Map<Case, SentCase>()

  beforeAll(async () => {
    run = await startRun({
      partitions: PARTITIONS,
      beforeTopics: createWideResults,
      settings: { KAFKA_DELIVERY: delivery, DEAD_LETTER_LIMIT: 'off' },
    })
    const ids = await registerAll(inject('registryUrl'), run.topics.input)
    const messages = CASES.flatMap((one, at) => {
      const event: Message = { ...one.message(ids, idOf(at)), partition: at % PARTITIONS }
      return [event].concat(goodEvents(at))
    })
    const positions = await run.send(messages)
    CASES.forEach((one, at) => {
      const [first = '', ...others] = positions.slice(at * (BEHIND + 1), (at + 1) * (BEHIND + 1))
      sent.set(one, { transactionId: idOf(at), at: first, behind: others })
    })
    service = await run.startReplica({ SCHEMA_REGISTRY_URL: await registryWithoutReference() })
    const isSkipped = new Set(
      CASES.filter(({ expected }) => expected.kind === 'skipped').map((one) => sent.get(one)?.at),
    )
    await run.untilOut(positions.filter((position) => !isSkipped.has(position)))
    results = new Map(run.results().map((record) => [sourceOf(record, run.topics), record]))
    deadLetters = new Map(run.deadLetters().map((record) => [sourceOf(record, run.topics), record]))
  })

  afterAll(async () => {
    await run.close()
    for (const close of closing.splice(0)) await close()
  })

  async function counted(metric: string): Promise<number> {
    return metricSum(await service.metrics(), metric)
  }

  test.each(CASES)('$row: $about', (one) => {
    const { transactionId, at, behind: good } = sentOf(one)
    expect(good.filter((position) => !results.has(position))).toEqual([])
    expect(outcomeAt(at)).toEqual(outcomeOf(one.expected, { transactionId, partition: partitionOf(at) }))
  })

  function outcomeAt(at: Coordinates): object {
    const result = results.get(at)
    if (result !== undefined) {
      const { transactionId, merchantBizId, completedAt } = decodeResult(result)
      const { key, partition } = result
      return { transactionId, merchantBizId, completedAt, key: String(key), partition }
    }
    const deadLetter = deadLetters.get(at)
    return deadLetter === undefined
      ? {}
      : {
          code: header(deadLetter, 'checkresult-code'),
          message: header(deadLetter, '__connect.errors.exception.message'),
        }
  }

  test('R10: each kind of foreign record is counted and logged once, with its position', async () => {
    const skipped = CASES.filter(({ expected }) => expected.kind === 'skipped')
    await expect.poll(() => counted('checkresult_foreign_records_total')).toBe(skipped.length)
    for (const one of skipped) {
      const kind = one.expected.kind === 'skipped' ? one.expected.as : ''
      expect(await counted(`checkresult_foreign_records_total{kind="${kind}"}`)).toBe(1)
      const lines = logged(service).filter(({ reason }) => reason === kind)
      expect(lines.map(({ topic, partition, offset }) => [topic, partition, offset].join(':'))).toEqual([
        sentOf(one).at,
      ])
    }
  })

  test('R11, R14: only unexpected keys and timestamps are counted', async () => {
    expect(await counted('checkresult_unkeyed_events_total')).toBe(2)
    expect(await counted('checkresult_implausible_timestamps_total')).toBe(3)
    expect(await counted('checkresult_end_to_end_seconds_sum')).toBeLessThan(3_600)
    expect(service.output()).not.toContain(MARK)
  })

  test('each event has exactly one output', () => {
    const sources = [...run.results(), ...run.deadLetters()].map((record) => sourceOf(record, run.topics))
    expect(sources.filter((source, at) => sources.indexOf(source) !== at)).toEqual([])
  })

  function sentOf(one: Case): SentCase {
    const found = sent.get(one)
    if (found === undefined) throw new Error(`${one.about} was not sent.`)
    return found
  }
})

/**
 * A registry without a referenced schema. The real one keeps referenced schemas, so a proxy asks it for a version
 * that does not exist.
 */
async function registryWithoutReference(): Promise<string> {
  const registry = new URL(inject('registryUrl'))
  const forward: RequestListener = (request, response) => {
    const path = (request.url ?? '').replace(/(\/subjects\/gone-[^/]+\/versions\/)1$/, '$199')
    const asked = httpRequest(new URL(path, registry), { method: request.method, headers: request.headers })
    asked.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    request.pipe(asked)
  }
  const url = await serve(forward, (close) => void closing.push(close as () => unknown))
  return url + registry.pathname
}

function outcomeOf(
  expected: Expected,
  { transactionId, partition }: { transactionId: string; partition: number },
) {
  switch (expected.kind) {
    case 'result':
      return {
        transactionId,
        merchantBizId: 'b1',
        completedAt: expected.completedAt,
        key: transactionId,
        partition,
      }
    case 'dead-letter':
      return { code: expected.code, message: matching(expected.message) }
    case 'skipped':
      return {}
  }
}

function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern)
}

function idOf(at: number): string {
  return `passpassportcase${at}x`
}

function goodEvents(at: number): Message[] {
  return Array.from({ length: BEHIND }, (_, number) => {
    const event = eventFor({ name: 'passpassport', docType: null }, at * BEHIND + number)
    return { key: event.transactionId, value: encodeJson(event), partition: at % PARTITIONS }
  })
}

function partitionOf(at: Coordinates): number {
  return Number(at.split(':')[1])
}

function logged(service: ServiceProcess): Record<string, unknown>[] {
  return service
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function createWideResults({ topics }: Environment): Promise<void> {
  const configEntries = [{ name: 'cleanup.policy', value: 'compact' }]
  await createTopics([{ topic: topics.result, numPartitions: RESULT_PARTITIONS, configEntries }])
}
