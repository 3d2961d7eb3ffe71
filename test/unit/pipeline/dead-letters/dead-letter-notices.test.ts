import { describe, expect, test } from 'vitest'
import { createLog } from '../../../../src/adapters/pino/log.ts'
import {
  DeadLetterNotices,
  type NoticedDeadLetter,
} from '../../../../src/pipeline/dead-letters/dead-letter-notices.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { runningShard } from '../../../support/shard-bed.ts'
import { FakeShard } from '../../../support/fake-shard.ts'

const MINUTE_MS = 60_000

function noticesOn() {
  const clock = new FakeClock()
  const log = recordingLog()
  const notices = new DeadLetterNotices({ log, clock })
  return { clock, log, notices, counts: () => log.lines.map(({ fields }) => [fields.reason, fields.count]) }
}

function deadLetter(offset: number, changes: Partial<NoticedDeadLetter> = {}): NoticedDeadLetter {
  return {
    reason: 'rejected',
    code: 'TransactionIdInvalid',
    source: { topic: 'in', partition: 3, offset: BigInt(offset) },
    ...changes,
  }
}

describe('notices about dead letters', () => {
  test('log the first dead letter of a reason at once, with its position and what to do', async () => {
    const { log, notices } = noticesOn()
    notices.add(deadLetter(7))
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: expect.stringContaining('`npm start -- dlq list --reason rejected`'),
        fields: {
          reason: 'rejected',
          code: 'TransactionIdInvalid',
          count: 1,
          topic: 'in',
          partition: 3,
          offset: '7',
        },
      },
    ])
  })

  test('log later dead letters in one line per reason and minute, with their number and the first position', async () => {
    const { clock, log, notices, counts } = noticesOn()
    for (let offset = 0; offset < 2_000; offset += 1) notices.add(deadLetter(offset))
    notices.add(deadLetter(9, { reason: 'undecodable', code: 'malformed-json' }))
    expect(counts()).toEqual([
      ['rejected', 1],
      ['undecodable', 1],
    ])
    await clock.advance(MINUTE_MS)
    expect(counts().slice(2)).toEqual([['rejected', 1_999]])
    expect(log.lines[2]).toMatchObject({
      message: expect.stringContaining('1,999 events became dead letters within a minute'),
      fields: { offset: '1' },
    })
    notices.add(deadLetter(5_000))
    await clock.advance(MINUTE_MS)
    expect(counts().slice(3)).toEqual([['rejected', 1]])
  })

  test('log a dead letter at once again after a minute without any', async () => {
    const { clock, notices, counts } = noticesOn()
    notices.add(deadLetter(1))
    await clock.advance(2 * MINUTE_MS)
    notices.add(deadLetter(2))
    expect(counts()).toHaveLength(2)
  })

  test('name a few codes and count the others', async () => {
    const { clock, log, notices } = noticesOn()
    for (let number = 0; number < 10; number += 1) notices.add(deadLetter(number, { code: `Code${number}` }))
    await clock.advance(MINUTE_MS)
    expect(log.lines[1]?.message).toContain('(Code1 1, Code2 1, Code3 1, Code4 1, Code5 1, others 4)')
  })

  test('log the pending summary when the service stops, and nothing afterwards', async () => {
    const { clock, notices, counts } = noticesOn()
    for (const offset of [1, 2, 3]) notices.add(deadLetter(offset))
    notices.close()
    expect(counts()).toEqual([
      ['rejected', 1],
      ['rejected', 2],
    ])
    await clock.advance(2 * MINUTE_MS)
    expect(counts()).toHaveLength(2)
  })

  test("keep long numbers that the log's redaction would otherwise remove", async () => {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const clock = new FakeClock()
    const log = createLog({ level: 'info', name: 'test', version: '0', destination })
    const notices = new DeadLetterNotices({ log, clock })
    for (let count = 0; count <= 1_234_567; count += 1) notices.add(deadLetter(123_456_789))
    await clock.advance(MINUTE_MS)
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      message: expect.stringContaining('1,234,567 events'),
      count: 1_234_567,
      offset: '123456789',
      code: 'TransactionIdInvalid',
    })
    expect(lines.join('')).not.toMatch(/withheld|…/)
  })
})

test('a dead letter is logged after its transaction has committed, not before', async () => {
  const added: NoticedDeadLetter[] = []
  const partition = new FakeShard()
  const { receive, finishAs } = await runningShard(partition, {
    deadLetterNotices: { add: (one) => void added.push(one) },
  })
  await receive(0, 1)
  await finishAs({ kind: 'dead-letter', ...deadLetter(1) }, 1)
  expect(added).toEqual([])
  await finishAs({ kind: 'dead-letter', ...deadLetter(0) }, 0)
  expect(added.map(({ source }) => source.offset)).toEqual([0n, 1n])
})
