import { describe, expect, test } from 'vitest'
import { inputRecord } from '../../support/fakes.ts'
import { outcomeOf, PASSED, refused, processing, TIMEOUT } from '../../support/processing.ts'
import { headersOf } from '../../support/headers.ts'

describe('a transaction seen lately on the partition', () => {
  test('costs no call and has no output, and says that it was a repeat', async () => {
    const { run, result, calls } = processing([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1))
    expect([result()?.outputs, result()?.counts, calls.length]).toEqual([[], { kind: 'duplicate' }, 1])
  })

  test('is asked for again when a producer or an operator wants it so', async () => {
    const { run, result, calls } = processing([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1, { headers: headersOf({ 'checkresult-force': null }) }))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('is asked for again when it was a dead letter that was put back', async () => {
    const { run, calls } = processing([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1, { headers: headersOf({ 'checkresult-redrives': '1' }) }))
    expect(calls).toHaveLength(2)
  })

  test('is asked for again when its copy comes from a retry topic', async () => {
    const { run, result, calls } = processing([refused(404, 'ProcessNotCompleted'), PASSED])
    await run(inputRecord(0))
    await run(inputRecord(7, { topic: 'retry' }))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('is asked for at once when the one before was too early, and the retry copy is the repeat then', async () => {
    const { run, result, calls } = processing([refused(404, 'ProcessNotCompleted'), PASSED])
    await run(inputRecord(0))
    expect(outcomeOf(result())).toEqual([['retry'], 'deferred'])
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
    await run(inputRecord(7, { topic: 'retry' }))
    expect([outcomeOf(result()), calls.length]).toEqual([[[], 'duplicate'], 2])
  })

  test('is a repeat while the call of the one before is under way', async () => {
    const { run, result, calls } = processing([PASSED], undefined, { callMs: 100 })
    await run(inputRecord(0))
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[[], 'duplicate'], 1])
  })

  test('is not a repeat of one whose lane dropped it', async () => {
    const { run, result, calls } = processing([PASSED])
    let isWanted = true
    await run(inputRecord(0), () => isWanted)
    isWanted = false
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('is a repeat of one whose result is committed, whatever became of its lane', async () => {
    const { run, result, calls } = processing([PASSED])
    let isWanted = true
    await run(inputRecord(0), () => isWanted)
    const first = result()
    if (first) first.onCommitted?.(first.counts)
    isWanted = false
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[[], 'duplicate'], 1])
  })

  test('is not a repeat of one whose result was replaced by a dead letter', async () => {
    const { run, result, calls } = processing([PASSED])
    await run(inputRecord(0))
    const source = { topic: 'in', partition: 0, offset: 0n }
    result()?.onCommitted?.({ kind: 'dead-letter', reason: 'unwritable', code: 'x', source })
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('is asked for again when the one before became a dead letter', async () => {
    const { run, result, calls } = processing([refused(400, 'TransactionIdInvalid'), PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })
})

describe('the time all calls of a record have together', () => {
  test('is what the first of them has, and the next only the rest', async () => {
    const { run, calls, clock } = processing([TIMEOUT, PASSED], undefined, { callMs: 3_000 })
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect(calls.map(({ withinMs }) => withinMs)).toEqual([8_000, 8_000 - 3_000 - 200])
  })

  test('leaves no room for another call after one that took all of it', async () => {
    const { run, result, calls, clock } = processing([TIMEOUT], undefined, { callMs: 7_500 })
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect([outcomeOf(result()), calls.length]).toEqual([[['retry'], 'deferred'], 1])
  })
})
