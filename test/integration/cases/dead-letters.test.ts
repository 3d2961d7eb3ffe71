/** What is said of dead letters, and what their commands do with those that are not ours or cannot be put back. */
import { describe, expect, test } from 'vitest'
import { eventFor } from '../../../dev/harness/events.ts'
import type { ServiceProcess } from '../../../dev/harness/service.ts'
import { startRun } from '../../support/run.ts'

/** The fictitious person whose name must not be seen. */
const MARK = 'ZQXJKVPERSON'

describe.concurrent.each(['exactly-once', 'at-least-once'])('S6: dead letters, %s', (delivery) => {
  test('are one log line a reason and minute, the first at once, the rest when the service stops', async ({
    onTestFinished,
  }) => {
    const run = await startRun({
      partitions: 1,
      settings: { KAFKA_DELIVERY: delivery, DEAD_LETTER_BRAKE: 'off' },
    })
    onTestFinished(run.close)
    const service = await run.startReplica()
    const broken = { key: MARK, value: `{${MARK}`, headers: { own: MARK } }
    const refused = { value: run.encode(eventFor({ name: 'invalidid', docType: null }, 1)) }
    const first = await run.send([broken, refused])
    await run.untilOut(first)
    await Promise.all([service.line(/"reason":"undecodable"/), service.line(/"reason":"rejected"/)])
    expect(noticesOf(service)).toEqual([
      { reason: 'undecodable', code: 'malformed-json', count: 1, at: first[0] },
      { reason: 'rejected', code: 'TransactionIdInvalid', count: 1, at: first[1] },
    ])
    const more = await run.send(Array.from({ length: 30 }, () => broken))
    await run.untilOut(more)
    expect(noticesOf(service)).toHaveLength(2)
    expect(await service.stop()).toBe(0)
    expect(noticesOf(service).slice(2)).toEqual([
      { reason: 'undecodable', code: 'malformed-json', count: 30, at: more[0] },
    ])
    expect(service.output()).toContain('`npm start -- dlq list --reason undecodable`')
    expect(service.output()).not.toContain(MARK)
  })
})

function noticesOf(service: ServiceProcess): object[] {
  return service
    .output()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ message }) => /became (a )?dead letter/.test(String(message)))
    .map(({ reason, code, count, topic, partition, offset }) => ({
      reason,
      code,
      count,
      at: `${String(topic)}:${String(partition)}:${String(offset)}`,
    }))
}
