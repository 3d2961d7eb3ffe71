/** The contract of an output sink, checked for every implementation. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/adapters/system-clock.ts'
import type { Clock, OutputRecord, OutputSink, PartitionOffset } from '../../src/ports.ts'
import { fakeSinks, kafkaSinks, type SinksOfOnePartition } from '../support/output-sinks.ts'

const KINDS = [
  { about: 'the fake', create: fakeSinks },
  { about: 'the transactional sink', create: () => kafkaSinks('exactly-once') },
  { about: 'the at-least-once sink', create: () => kafkaSinks('at-least-once') },
]

describe.each(KINDS)('$about', ({ create }) => {
  test('a claim returns no offset if nothing was committed', async () => {
    const sinks = await create()
    const sink = await claimed(sinks)
    expect(sink.committedOffset(sinks.input)).toBeNull()
  })

  test('published outputs can be read byte for byte once publish returns committed', async () => {
    const sinks = await create()
    const sink = await claimed(sinks)
    const bytes: OutputRecord = {
      topic: sinks.topic,
      partition: 1,
      key: Buffer.from([0, 255]),
      value: Buffer.from([1, 254]),
      headers: [{ name: 'name', value: Buffer.from([2, 253]) }],
    }
    expect(await sink.publish([bytes, { ...bytes, partition: 0, value: null }], upTo(sinks, 5n))).toEqual(
      COMMITTED,
    )
    const written = await sinks.written(2)
    expect(written).toHaveLength(2)
    expect(written.find(({ partition }) => partition === 1)).toMatchObject(bytes)
    expect(written.find(({ partition }) => partition === 0)?.value).toBeNull()
  })

  test('the next claim returns the offset of the last publish, with or without outputs', async () => {
    const sinks = await create()
    const first = await sinks.claim()
    await first.publish([output(sinks, 1)], upTo(sinks, 2n))
    await first.publish([output(sinks, 2), output(sinks, 3)], upTo(sinks, 4n))
    await first.close()
    const second = await sinks.claim()
    expect(second.committedOffset(sinks.input)).toBe(4n)
    await second.publish([], upTo(sinks, 9n))
    await second.close()
    const third = await claimed(sinks)
    expect(third.committedOffset(sinks.input)).toBe(9n)
    expect(values(await sinks.written(3))).toEqual(['1', '2', '3'])
  })

  test('outputs that exceed one request are all written', async () => {
    const sinks = await create()
    const sink = await claimed(sinks)
    const large = Array.from({ length: 20 }, (_, number) => ({
      ...output(sinks, number),
      partition: number % 2,
      headers: [{ name: 'ballast', value: Buffer.alloc(100_000) }],
    }))
    expect(await sink.publish(large, upTo(sinks, 20n))).toEqual(COMMITTED)
    expect(values(await sinks.written(20))).toEqual(values(large))
  })

  test('a failed publish returns the reason and does not change the committed offset', async () => {
    const sinks = await create()
    const first = await sinks.claim()
    expect(await first.publish([output(sinks, 1)], upTo(sinks, 2n))).toEqual(COMMITTED)
    const outcome = await first.publish(sinks.failing([output(sinks, 2)]), upTo(sinks, 3n))
    expect(outcome).toEqual({
      kind: expect.stringMatching(/failed|refused/),
      failure: {
        code: expect.any(String),
        message: expect.stringMatching(/\w+.*\./),
        temporary: expect.any(Boolean),
      },
    })
    await first.close()
    const second = await claimed(sinks)
    expect(second.committedOffset(sinks.input)).toBe(2n)
    expect(await second.publish([output(sinks, 2)], upTo(sinks, 3n))).toEqual(COMMITTED)
    expect(values(await sinks.written(2))).toEqual(['1', '2'])
  })

  test('one publish commits the offsets of several partitions, and the next claim returns each of them', async () => {
    const sinks = await create()
    const first = await sinks.claim()
    const other = { ...sinks.input, partition: 16 }
    first.prepare(0)
    first.prepare(1)
    const offsets = [...upTo(sinks, 2n), { ...other, nextOffset: 7n }]
    const outputs = [output(sinks, 1), { ...output(sinks, 2), partition: 1 }]
    expect(await first.publish(outputs, offsets)).toEqual(COMMITTED)
    expect(await first.publish([output(sinks, 3)], [{ ...other, nextOffset: 8n }])).toEqual(COMMITTED)
    await first.close()
    const second = await claimed(sinks)
    expect([sinks.input, other].map((one) => second.committedOffset(one))).toEqual([2n, 8n])
    expect(values(await sinks.written(3))).toEqual(['1', '2', '3'])
  })

  test('after a rejected output the same sink publishes the others', async () => {
    const sinks = await create()
    const sink = await claimed(sinks)
    expect(await sink.publish([output(sinks, 1)], upTo(sinks, 1n))).toEqual(COMMITTED)
    const good = { ...output(sinks, 2), partition: 1 }
    const rejected = await sink.publish([good, ...sinks.refused([output(sinks, 3)])], upTo(sinks, 3n))
    expect(rejected).toMatchObject({ kind: 'refused' })
    expect(await sink.publish([good], upTo(sinks, 2n))).toEqual(COMMITTED)
    expect(await sink.publish([output(sinks, 4)], upTo(sinks, 4n))).toEqual(COMMITTED)
    expect(values(await sinks.written(3))).toEqual(['1', '2', '4'])
  })

  test('an unused preparation does not disturb later publishes', async () => {
    const sinks = await create()
    const first = await sinks.claim()
    first.prepare(0)
    await first.close()
    const second = await claimed(sinks)
    second.prepare(0)
    second.prepare(0)
    expect(await second.publish([output(sinks, 1)], upTo(sinks, 1n))).toEqual(COMMITTED)
    expect(values(await sinks.written(1))).toEqual(['1'])
  })
})

test('a transaction prepared during a publish does not abort a later one', async () => {
  const timers = new Set<() => void>()
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, callback) => {
      if (delayMs < ABANDONED_AFTER_MS) return systemClock.after(delayMs, callback)
      timers.add(callback)
      return () => timers.delete(callback)
    },
  }
  const sinks = await kafkaSinks('exactly-once', clock)
  const sink = await claimed(sinks)
  const publishing = sink.publish([output(sinks, 1)], upTo(sinks, 1n))
  sink.prepare(0)
  expect(await publishing).toEqual(COMMITTED)
  for (const elapse of timers) elapse()
  expect(await sink.publish([output(sinks, 2)], upTo(sinks, 2n))).toEqual(COMMITTED)
})

test('of two owners, only the later one can write to the transactional sink', async () => {
  const sinks = await kafkaSinks('exactly-once')
  const former = await claimed(sinks)
  await former.publish([output(sinks, 1)], upTo(sinks, 1n))
  const owner = await claimed(sinks)
  expect(owner.committedOffset(sinks.input)).toBe(1n)
  expect(await former.publish([output(sinks, 2)], upTo(sinks, 2n))).toEqual({ kind: 'fenced' })
  expect(await owner.publish([output(sinks, 3)], upTo(sinks, 2n))).toEqual(COMMITTED)
  expect(values(await sinks.written(2))).toEqual(['1', '3'])
})

test('two owners can both write to the at-least-once sink, which repeats outputs but loses none', async () => {
  const sinks = await kafkaSinks('at-least-once')
  const former = await claimed(sinks)
  const owner = await claimed(sinks)
  expect(await former.publish([output(sinks, 1)], upTo(sinks, 1n))).toEqual(COMMITTED)
  expect(await owner.publish([output(sinks, 1)], upTo(sinks, 1n))).toEqual(COMMITTED)
  expect(values(await sinks.written(2))).toEqual(['1', '1'])
})

/** Time after which a prepared but unused transaction is aborted. */
const ABANDONED_AFTER_MS = 30_000
const COMMITTED = { kind: 'committed' } as const

async function claimed(sinks: SinksOfOnePartition): Promise<OutputSink> {
  const sink = await sinks.claim()
  onTestFinished(async () => sink.close())
  return sink
}

function output({ topic }: SinksOfOnePartition, number: number): OutputRecord {
  return { topic, partition: 0, key: null, value: Buffer.from(String(number)), headers: [] }
}

function upTo({ input }: SinksOfOnePartition, nextOffset: bigint): PartitionOffset[] {
  return [{ ...input, nextOffset }]
}

function values(records: readonly OutputRecord[]): string[] {
  return records.map(({ value }) => String(value)).sort((left, right) => Number(left) - Number(right))
}
