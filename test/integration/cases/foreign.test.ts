/** Three foreign records for each event, with the default dead-letter limit. */
import { describe, expect, test } from 'vitest'
import { encodeJson, eventFor } from '../../../dev/harness/events.ts'
import { metricSum } from '../../../dev/harness/service.ts'
import { EXACTLY_ONCE, header, sourceOf } from '../../support/outputs.ts'
import { startRun } from '../../support/run.ts'

const EVENTS = 60
const FOREIGN = [null, Buffer.from('heartbeat'), Buffer.from('{"heartbeat":1}')]

describe.concurrent.each(['exactly-once', 'at-least-once'])('R10: foreign records, %s', (delivery) => {
  test('become dead letters if configured, and do not count towards the dead-letter limit', async ({
    onTestFinished,
  }) => {
    const run = await startRun({
      partitions: 1,
      settings: { KAFKA_DELIVERY: delivery, KAFKA_FOREIGN_RECORDS: 'dead-letter' },
    })
    onTestFinished(run.close)
    const sent = await run.send(
      Array.from({ length: EVENTS }, (_, number) => {
        const event = eventFor({ name: 'passpassport', docType: null }, number)
        const good = { key: event.transactionId, value: encodeJson(event) }
        return [...FOREIGN.map((value) => ({ key: 'other', value })), good]
      }).flat(),
    )
    const service = await run.startReplica()
    await run.untilOut(sent)

    expect(metricSum(await service.metrics(), 'checkresult_circuit_open')).toBe(0)
    expect(await service.stop()).toBe(0)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
    const codes = new Map(
      run
        .deadLetters()
        .map((deadLetter) => [sourceOf(deadLetter, run.topics), header(deadLetter, 'checkresult-code')]),
    )
    expect(sent.slice(0, 4).map((position) => codes.get(position))).toEqual([
      'tombstone',
      'unknown-format',
      'unrelated-json',
      undefined,
    ])
    expect([run.results().length, codes.size]).toEqual([EVENTS, EVENTS * FOREIGN.length])
  })
})
