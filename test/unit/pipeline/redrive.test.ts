import { describe, expect, test } from 'vitest'
import { EVERY_LETTER, type Selection } from '../../../src/core/letter.ts'
import { outputPartition } from '../../../src/core/partition.ts'
import { redrive, type RedriveReport } from '../../../src/pipeline/redrive.ts'
import type { OutputRecord, PublishOutcome } from '../../../src/ports.ts'
import { DeadLetterTopic, redriveLog, type FakeRedriveLog } from '../../support/dead-letter-topic.ts'
import { headerText } from '../../support/headers.ts'

interface RunChanges {
  readonly selection?: Partial<Selection>
  readonly log?: FakeRedriveLog | null
  readonly signal?: AbortSignal
  readonly atOnce?: number
  readonly onProgress?: (read: number, total: number, sent: number) => void
}

function run(topic: DeadLetterTopic, changes: RunChanges = {}): Promise<RedriveReport> {
  const { selection = {}, log = redriveLog(topic), signal = new AbortController().signal } = changes
  return redrive({
    topic: topic.reader(changes.atOnce),
    selection: { ...EVERY_LETTER, ...selection },
    maxRedrives: 3,
    target: log === null ? null : { log, inputTopic: 'in', deadLetterTopic: 'dead' },
    signal,
    onProgress: changes.onProgress ?? (() => undefined),
  })
}

function sentOf({ groups }: RedriveReport): number {
  return groups.reduce((sum, { sent }) => sum + sent, 0)
}

/** Spread over both partitions; each letter's value is its number. */
function topicOf(letters: number): DeadLetterTopic {
  const topic = new DeadLetterTopic(2)
  for (let at = 0; at < letters; at += 1) topic.add(at % 2, { value: Buffer.from(String(at)) })
  return topic
}

function numbersOf({ events }: FakeRedriveLog): number[] {
  return events.map(({ value }) => Number(value)).toSorted((left, right) => left - right)
}

const ALL_OF_250 = Array.from({ length: 250 }, (_, at) => at)

describe('a redrive', () => {
  test('sends each letter once, as it came, in several transactions', async () => {
    const topic = topicOf(250)
    const log = redriveLog(topic)
    const report = await run(topic, { log })
    expect(report).toEqual({
      end: { kind: 'done' },
      groups: [{ reason: 'undecodable', code: 'malformed-json', sent: 250, stays: 0 }],
      staying: [],
      absent: [],
    })
    expect(numbersOf(log)).toEqual(ALL_OF_250)
    expect(log.transactions).toBe(3)
  })

  test('sends nothing that was sent before', async () => {
    const topic = topicOf(7)
    await run(topic)
    const log = redriveLog(topic)
    expect(await run(topic, { log })).toMatchObject({ end: { kind: 'done' }, groups: [] })
    expect(log.events).toEqual([])
  })

  test('keeps the partition where both topics are equally wide, and else goes by the key', async () => {
    const topic = new DeadLetterTopic(2)
    const key = Buffer.from('key')
    topic.add(1, { key })
    const equal = redriveLog(topic)
    await run(topic, { log: equal })
    topic.add(1, { key })
    const wider = redriveLog(topic, { inputPartitions: 7 })
    await run(topic, { log: wider })
    expect([equal.events[0]?.partition, wider.events[0]?.partition]).toEqual([1, outputPartition(key, 7)])
  })

  test('leaves alone what is not selected, what others wrote and what failed too often', async () => {
    const topic = new DeadLetterTopic(2)
    topic.add(0, { reason: 'rejected', code: 'TransactionIdInvalid' })
    const spent = topic.add(0, { redrives: 3 })
    topic.add(1, { redrives: 2 })
    topic.append(1, { value: Buffer.from('theirs') }, [])
    const log = redriveLog(topic)
    const report = await run(topic, { log, selection: { reasons: new Set(['undecodable']) } })
    expect(report.groups).toEqual([{ reason: 'undecodable', code: 'malformed-json', sent: 1, stays: 1 }])
    expect(report.staying.map(({ partition, offset }) => `${partition}:${offset}`)).toEqual([spent])
    expect(log.events.map(({ headers }) => headerText(headers, 'checkresult-redrives'))).toEqual(['3'])
  })

  test('names a few of those that stay and counts them all', async () => {
    const topic = new DeadLetterTopic(1)
    for (let at = 0; at < 30; at += 1) topic.add(0, { redrives: 3 })
    const { staying, groups } = await run(topic)
    expect([staying.length, groups[0]?.stays]).toEqual([20, 30])
  })

  test('says which of the places it was given hold no letter that waits', async () => {
    const topic = topicOf(4)
    const report = await run(topic, { selection: { places: new Set(['0:1', '1:99', '9:0']) } })
    expect([sentOf(report), report.absent]).toEqual([1, ['1:99', '9:0']])
  })

  test('that only looks says the same and changes nothing', async () => {
    const topic = topicOf(250)
    const looked = await run(topic, { log: null })
    const done = await run(topic)
    expect(looked).toEqual(done)
    expect(sentOf(await run(topic))).toBe(0)
  })

  test('says how far it has come', async () => {
    const topic = topicOf(250)
    const moments: (readonly number[])[] = []
    await run(topic, { onProgress: (...moment) => moments.push(moment) })
    expect(moments.at(0)).toEqual([3, 500, 0])
    expect(moments.at(-1)).toEqual([500, 500, 200])
    expect(moments).toEqual(moments.toSorted((left, right) => (left[0] ?? 0) - (right[0] ?? 0)))
  })
})

describe('a redrive that ends early has put back what it says, and the next one the rest', () => {
  const COMMITTED = { kind: 'committed' } as const
  const failure = { code: 'ECONNREFUSED', message: 'A sentence.', passing: true }
  const ENDS = [
    { end: { kind: 'fenced' }, outcome: { kind: 'fenced' } },
    { end: { kind: 'failed', message: 'A sentence.' }, outcome: { kind: 'failed', failure } },
  ] as const

  test.each(ENDS)('when it is $end.kind', async ({ end, outcome }) => {
    const topic = topicOf(250)
    const first = redriveLog(topic, { outcomes: [COMMITTED, outcome] })
    const report = await run(topic, { log: first })
    expect([report.end, sentOf(report), first.transactions]).toEqual([end, 100, 2])
    const second = redriveLog(topic)
    await run(topic, { log: second })
    expect([...numbersOf(first), ...numbersOf(second)].toSorted((left, right) => left - right)).toEqual(
      ALL_OF_250,
    )
  })

  test.each([3, 1_000])('when it is told to stop, with %d letters read at once', async (atOnce) => {
    const topic = topicOf(600)
    const controller = new AbortController()
    const first = redriveLog(topic)
    const publish = async (outputs: readonly OutputRecord[]): Promise<PublishOutcome> => {
      controller.abort()
      return first.publish(outputs)
    }
    const { signal } = controller
    const report = await run(topic, { log: { ...first, publish }, signal, atOnce })
    expect([report.end, sentOf(report), first.transactions]).toEqual([{ kind: 'interrupted' }, 100, 1])
    const second = redriveLog(topic)
    await run(topic, { log: second })
    expect(numbersOf(first).length + numbersOf(second).length).toBe(600)
  })
})
