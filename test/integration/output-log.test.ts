/** What a lane may rely on, whatever it writes to. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/adapters/system-clock.ts'
import type { Clock, OutputLog, OutputRecord } from '../../src/ports.ts'
import { fakeLogs, kafkaLogs, type LogsOfOnePartition } from '../support/output-logs.ts'

const KINDS = [
  { about: 'the fake', create: fakeLogs },
  { about: 'the transactional log', create: () => kafkaLogs('exactly-once') },
  { about: 'the at-least-once log', create: () => kafkaLogs('at-least-once') },
]

describe.each(KINDS)('$about', ({ create }) => {
  test('a claim reads nothing where nothing was committed', async () => {
    const log = await claimed(await create())
    expect(log.committedOffset).toBeNull()
  })

  test('what is published can be read byte for byte once it says committed', async () => {
    const logs = await create()
    const log = await claimed(logs)
    const bytes: OutputRecord = {
      topic: logs.topic,
      partition: 1,
      key: Buffer.from([0, 255]),
      value: Buffer.from([1, 254]),
      headers: [{ name: 'name', value: Buffer.from([2, 253]) }],
    }
    expect(await log.publish([bytes, { ...bytes, partition: 0, value: null }], 5n)).toEqual(COMMITTED)
    const written = await logs.written(2)
    expect(written).toHaveLength(2)
    expect(written.find(({ partition }) => partition === 1)).toMatchObject(bytes)
    expect(written.find(({ partition }) => partition === 0)?.value).toBeNull()
  })

  test('the next claim reads the offset of the last publish, with or without outputs', async () => {
    const logs = await create()
    const first = await logs.claim()
    await first.publish([output(logs, 1)], 2n)
    await first.publish([output(logs, 2), output(logs, 3)], 4n)
    await first.close()
    const second = await logs.claim()
    expect(second.committedOffset).toBe(4n)
    await second.publish([], 9n)
    await second.close()
    const third = await claimed(logs)
    expect(third.committedOffset).toBe(9n)
    expect(values(await logs.written(3))).toEqual(['1', '2', '3'])
  })

  test('more than one request takes is all written', async () => {
    const logs = await create()
    const log = await claimed(logs)
    const large = Array.from({ length: 20 }, (_, number) => ({
      ...output(logs, number),
      partition: number % 2,
      headers: [{ name: 'ballast', value: Buffer.alloc(100_000) }],
    }))
    expect(await log.publish(large, 20n)).toEqual(COMMITTED)
    expect(values(await logs.written(20))).toEqual(values(large))
  })

  test('a publish that fails says why, and leaves the committed offset where it was', async () => {
    const logs = await create()
    const first = await logs.claim()
    await first.publish([output(logs, 1)], 2n)
    const outcome = await first.publish(logs.failing([output(logs, 2)]), 3n)
    expect(outcome).toEqual({
      kind: expect.stringMatching(/failed|refused/),
      failure: {
        code: expect.any(String),
        message: expect.stringMatching(/\w+.*\./),
        passing: expect.any(Boolean),
      },
    })
    await first.close()
    const second = await claimed(logs)
    expect(second.committedOffset).toBe(2n)
    expect(await second.publish([output(logs, 2)], 3n)).toEqual(COMMITTED)
    expect(values(await logs.written(2))).toEqual(['1', '2'])
  })

  test('what was prepared and not used is in nobody’s way', async () => {
    const logs = await create()
    const first = await logs.claim()
    first.prepare()
    await first.close()
    const second = await claimed(logs)
    second.prepare()
    second.prepare()
    expect(await second.publish([output(logs, 1)], 1n)).toEqual(COMMITTED)
    expect(values(await logs.written(1))).toEqual(['1'])
  })
})

test('a transaction that is to be opened while another one is published is not given up in a later one', async () => {
  const timers = new Set<() => void>()
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, callback) => {
      if (delayMs < GIVEN_UP_AFTER_MS) return systemClock.after(delayMs, callback)
      timers.add(callback)
      return () => timers.delete(callback)
    },
  }
  const logs = await kafkaLogs('exactly-once', clock)
  const log = await claimed(logs)
  const publishing = log.publish([output(logs, 1)], 1n)
  log.prepare()
  expect(await publishing).toEqual(COMMITTED)
  for (const elapse of timers) elapse()
  expect(await log.publish([output(logs, 2)], 2n)).toEqual(COMMITTED)
})

test('of two owners the transactional log lets the later one write', async () => {
  const logs = await kafkaLogs('exactly-once')
  const former = await claimed(logs)
  await former.publish([output(logs, 1)], 1n)
  const owner = await claimed(logs)
  expect(owner.committedOffset).toBe(1n)
  expect(await former.publish([output(logs, 2)], 2n)).toEqual({ kind: 'fenced' })
  expect(await owner.publish([output(logs, 3)], 2n)).toEqual(COMMITTED)
  expect(values(await logs.written(2))).toEqual(['1', '3'])
})

test('of two owners the at-least-once log lets both write: a repeat, and nothing lost', async () => {
  const logs = await kafkaLogs('at-least-once')
  const former = await claimed(logs)
  const owner = await claimed(logs)
  expect(await former.publish([output(logs, 1)], 1n)).toEqual(COMMITTED)
  expect(await owner.publish([output(logs, 1)], 1n)).toEqual(COMMITTED)
  expect(values(await logs.written(2))).toEqual(['1', '1'])
})

/** A transaction that was opened ahead and not used. */
const GIVEN_UP_AFTER_MS = 30_000
const COMMITTED = { kind: 'committed' } as const

async function claimed(logs: LogsOfOnePartition): Promise<OutputLog> {
  const log = await logs.claim()
  onTestFinished(async () => log.close())
  return log
}

function output({ topic }: LogsOfOnePartition, number: number): OutputRecord {
  return { topic, partition: 0, key: null, value: Buffer.from(String(number)), headers: [] }
}

function values(records: readonly OutputRecord[]): string[] {
  return records.map(({ value }) => String(value)).sort((left, right) => Number(left) - Number(right))
}
