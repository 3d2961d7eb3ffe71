import { describe, expect, test } from 'vitest'
import { textHeader } from '../../../../src/core/records/headers.ts'
import {
  EVERY_DEAD_LETTER,
  positionName,
  type Selection,
} from '../../../../src/core/dead-letters/stored-dead-letter.ts'
import { partitionOfKey } from '../../../../src/core/partitions/partition.ts'
import { redrive } from '../../../../src/pipeline/dead-letters/redrive.ts'
import type { RedriveReport } from '../../../../src/pipeline/dead-letters/redrive-report.ts'
import type { OutputRecord, PublishOutcome } from '../../../../src/ports.ts'
import { DeadLetterTopic, redriveSink, type FakeRedriveSink } from '../../../support/dead-letter-topic.ts'
import { headerText } from '../../../support/headers.ts'

interface RunChanges {
  readonly selection?: Partial<Selection>
  readonly sink?: FakeRedriveSink | null
  readonly signal?: AbortSignal
  readonly atOnce?: number
  readonly onProgress?: (read: number, total: number, sent: number) => void
}

function run(topic: DeadLetterTopic, changes: RunChanges = {}): Promise<RedriveReport> {
  const { selection = {}, sink = redriveSink(topic), signal = new AbortController().signal } = changes
  return redrive({
    ...topic.source(changes.atOnce),
    selection: { ...EVERY_DEAD_LETTER, ...selection },
    maxRedrives: 3,
    target: sink === null ? null : { sink, inputTopic: 'in', deadLetterTopic: 'dead' },
    signal,
    onProgress: changes.onProgress ?? (() => undefined),
  })
}

function positions({ unfit }: RedriveReport): string[] {
  return unfit.map(({ deadLetter }) => positionName(deadLetter))
}

function sentOf({ groups }: RedriveReport): number {
  return groups.reduce((sum, { sent }) => sum + sent, 0)
}

/** Dead letters spread over both partitions; the value of each is its number. */
function topicOf(deadLetters: number): DeadLetterTopic {
  const topic = new DeadLetterTopic(2)
  for (let at = 0; at < deadLetters; at += 1) topic.add(at % 2, { value: Buffer.from(String(at)) })
  return topic
}

function numbersOf({ events }: FakeRedriveSink): number[] {
  return events.map(({ value }) => Number(value)).toSorted((left, right) => left - right)
}

const GROUP = {
  reason: 'undecodable',
  code: 'malformed-json',
  sent: 0,
  stays: 0,
  refused: 0,
  incomplete: 0,
}

const ALL_OF_250 = Array.from({ length: 250 }, (_, at) => at)

describe('a redrive', () => {
  test('puts each dead letter back once and unchanged, in several transactions', async () => {
    const topic = topicOf(250)
    const sink = redriveSink(topic)
    const report = await run(topic, { sink })
    expect(report).toEqual({
      end: { kind: 'done' },
      groups: [{ ...GROUP, sent: 250 }],
      staying: [],
      unfit: [],
      foreign: { total: 0, topics: [], positions: [] },
      absent: [],
    })
    expect(numbersOf(sink)).toEqual(ALL_OF_250)
    expect(sink.transactions).toBe(3)
  })

  test('skips dead letters that were already put back', async () => {
    const topic = topicOf(7)
    await run(topic)
    const sink = redriveSink(topic)
    expect(await run(topic, { sink })).toMatchObject({ end: { kind: 'done' }, groups: [] })
    expect(sink.events).toEqual([])
  })

  test('keeps the partition number if both topics have equally many partitions, and otherwise uses the key', async () => {
    const topic = new DeadLetterTopic(2)
    const key = Buffer.from('key')
    topic.add(1, { key })
    const equal = redriveSink(topic)
    await run(topic, { sink: equal })
    topic.add(1, { key })
    const wider = redriveSink(topic, { inputPartitions: 7 })
    await run(topic, { sink: wider })
    expect([equal.events[0]?.partition, wider.events[0]?.partition]).toEqual([1, partitionOfKey(key, 7)])
  })

  test('skips dead letters that are not selected, foreign records, and dead letters that failed too often', async () => {
    const topic = new DeadLetterTopic(2)
    topic.add(0, { reason: 'rejected', code: 'TransactionIdInvalid' })
    const exhausted = topic.add(0, { redrives: 3 })
    topic.add(1, { redrives: 2 })
    topic.append(1, { value: Buffer.from('theirs') }, [])
    const sink = redriveSink(topic)
    const report = await run(topic, { sink, selection: { reasons: new Set(['undecodable']) } })
    expect(report.groups).toEqual([{ ...GROUP, sent: 1, stays: 1 }])
    expect(report.staying.map(({ partition, offset }) => `${partition}:${offset}`)).toEqual([exhausted])
    expect(sink.events.map(({ headers }) => headerText(headers, 'checkresult-redrives'))).toEqual(['3'])
  })

  test('lists a few skipped dead letters and counts all of them', async () => {
    const topic = new DeadLetterTopic(1)
    for (let at = 0; at < 30; at += 1) topic.add(0, { redrives: 3 })
    const { staying, groups } = await run(topic)
    expect([staying.length, groups[0]?.stays]).toEqual([20, 30])
  })

  test('reports the selected DLQ positions without a waiting dead letter', async () => {
    const topic = topicOf(4)
    const report = await run(topic, { selection: { positions: new Set(['0:1', '1:99', '9:0']) } })
    expect([sentOf(report), report.absent]).toEqual([1, ['1:99', '9:0']])
  })

  test('reports the same in a dry run and writes nothing', async () => {
    const topic = topicOf(250)
    const dryRun = await run(topic, { sink: null })
    const done = await run(topic)
    expect(dryRun).toEqual(done)
    expect(sentOf(await run(topic))).toBe(0)
  })

  test('reports its progress', async () => {
    const topic = topicOf(250)
    const moments: (readonly number[])[] = []
    await run(topic, { onProgress: (...moment) => moments.push(moment) })
    expect(moments.at(0)).toEqual([3, 500, 0])
    expect(moments.at(-1)).toEqual([500, 500, 200])
    expect(moments).toEqual(moments.toSorted((left, right) => (left[0] ?? 0) - (right[0] ?? 0)))
  })
})

describe('a dead letter that cannot be put back', () => {
  const TOO_LARGE = 'MESSAGE_TOO_LARGE'

  test.each([[[0]], [[99]], [[0, 1, 98, 99]], [[57, 133, 249]]])(
    'is found and reported if the broker rejects it, and all others are put back once: %j',
    async (bad) => {
      const topic = topicOf(250)
      const refuses = ({ value }: OutputRecord) => (bad.includes(Number(value)) ? TOO_LARGE : null)
      const sink = redriveSink(topic, { refuses })
      const report = await run(topic, { sink })
      expect(report.end).toEqual({ kind: 'done' })
      expect(report.groups).toEqual([{ ...GROUP, sent: 250 - bad.length, refused: bad.length }])
      expect(report.unfit.map(({ why }) => why)).toEqual(
        bad.map(() => ({ kind: 'refused', code: TOO_LARGE })),
      )
      expect(positions(report).toSorted()).toEqual(
        bad.map((at) => `${at % 2}:${Math.floor(at / 2)}`).toSorted(),
      )
      expect(numbersOf(sink)).toEqual(ALL_OF_250.filter((at) => !bad.includes(at)))
      // It stays in the topic: the input topic may accept larger records later.
      expect(sentOf(await run(topic))).toBe(bad.length)
    },
  )

  test('does not keep a run from ending if all of them are rejected', async () => {
    const topic = topicOf(250)
    const sink = redriveSink(topic, { refuses: () => 'INVALID_RECORD' })
    const report = await run(topic, { sink })
    expect([report.end.kind, report.groups[0]?.refused, report.unfit.length]).toEqual(['done', 250, 20])
    expect(sink.events).toEqual([])
  })

  test('is reported with the missing part of its event, also in a dry run', async () => {
    const topic = topicOf(3)
    const at = topic.add(0, { value: null, leftOut: [textHeader('checkresult-left-out-value', '9 bytes')] })
    for (const sink of [null, redriveSink(topic)]) {
      const report = await run(topic, { sink })
      expect(report.groups).toEqual([{ ...GROUP, sent: 3, incomplete: 1 }])
      expect(report.unfit.map(({ why }) => why)).toEqual([{ kind: 'incomplete', leftOut: ['value'] }])
      expect(positions(report)).toEqual([at])
    }
  })

  test('is reported if it stands for a damaged batch, because its event would be an empty record', async () => {
    const topic = topicOf(0)
    const at = topic.add(0, { value: null, code: 'damaged-batch' })
    const sink = redriveSink(topic)
    const report = await run(topic, { sink })
    expect([sink.events, positions(report)]).toEqual([[], [at]])
    expect(report.groups).toEqual([{ ...GROUP, code: 'damaged-batch', incomplete: 1 }])
  })
})

describe('a dead letter of another pipeline', () => {
  test('is skipped and reported while those of our topics are put back', async () => {
    const topic = new DeadLetterTopic(2)
    const theirs = [topic.add(0, { sourceTopic: 'theirs' }), topic.add(1, { sourceTopic: 'theirs.too' })]
    topic.add(0)
    topic.add(1, { sourceTopic: 'in.retry.1m' })
    topic.append(0, { value: Buffer.from('x') }, [textHeader('checkresult-reason', 'without a source')])
    const sink = redriveSink(topic)
    const report = await run(topic, { sink })
    expect(sentOf(report)).toBe(2)
    expect(sink.events).toHaveLength(2)
    expect(report.foreign).toEqual({
      total: 3,
      topics: ['theirs', 'unknown', 'theirs.too'],
      positions: [theirs[0], '0:2', theirs[1]],
    })
  })

  test('is not reported as missing if it was selected by its position', async () => {
    const topic = new DeadLetterTopic(1)
    const at = topic.add(0, { sourceTopic: 'theirs' })
    const report = await run(topic, { selection: { positions: new Set([at]) } })
    expect([report.absent, report.foreign.total]).toEqual([[], 1])
  })

  test('is counted only if it is selected', async () => {
    const topic = new DeadLetterTopic(1)
    topic.add(0, { sourceTopic: 'theirs' })
    const report = await run(topic, { selection: { reasons: new Set(['rejected']) } })
    expect(report.foreign.total).toBe(0)
  })
})

describe('a redrive that ends early', () => {
  const COMMITTED = { kind: 'committed' } as const
  const failure = { code: 'ECONNREFUSED', message: 'A message.', temporary: true }
  const ENDS = [
    { end: { kind: 'fenced' }, outcome: { kind: 'fenced' } },
    { end: { kind: 'failed', message: 'A message.' }, outcome: { kind: 'failed', failure } },
  ] as const

  test.each(ENDS)(
    'reports what it has put back after "$end.kind", and the next run continues',
    async ({ end, outcome }) => {
      const topic = topicOf(250)
      const first = redriveSink(topic, { outcomes: [COMMITTED, outcome] })
      const report = await run(topic, { sink: first })
      expect([report.end, sentOf(report), first.transactions]).toEqual([end, 100, 2])
      const second = redriveSink(topic)
      await run(topic, { sink: second })
      expect([...numbersOf(first), ...numbersOf(second)].toSorted((left, right) => left - right)).toEqual(
        ALL_OF_250,
      )
    },
  )

  test.each([3, 1_000])(
    'reports what it has put back after a stop request, with %d dead letters per read',
    async (atOnce) => {
      const topic = topicOf(600)
      const controller = new AbortController()
      const first = redriveSink(topic)
      const publish = async (outputs: readonly OutputRecord[]): Promise<PublishOutcome> => {
        controller.abort()
        return first.publish(outputs)
      }
      const { signal } = controller
      const report = await run(topic, { sink: { ...first, publish }, signal, atOnce })
      expect([report.end, sentOf(report), first.transactions]).toEqual([{ kind: 'interrupted' }, 100, 1])
      const second = redriveSink(topic)
      await run(topic, { sink: second })
      expect(numbersOf(first).length + numbersOf(second).length).toBe(600)
    },
  )
})
