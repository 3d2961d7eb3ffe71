import { describe, expect, test } from 'vitest'
import { inputRecord } from '../../../support/fakes.ts'
import { outcomeOf, PASSED, refused, processing, TIMEOUT } from '../../../support/processing.ts'
import { headersOf } from '../../../support/headers.ts'

describe('an event whose transaction was seen recently on the partition', () => {
  test('makes no call and is reported as a repeat', async () => {
    const { run, result, calls } = processing([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1))
    expect([result()?.outputs, result()?.counts, calls.length]).toEqual([[], { kind: 'duplicate' }, 1])
  })

  test('calls the API if a producer or an operator forces it', async () => {
    const { run, result, calls } = processing([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1, { headers: headersOf({ 'checkresult-force': null }) }))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('calls the API if it is a redriven dead letter', async () => {
    const { run, calls } = processing([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1, { headers: headersOf({ 'checkresult-redrives': '1' }) }))
    expect(calls).toHaveLength(2)
  })

  test('calls the API if it comes from a retry topic', async () => {
    const { run, result, calls } = processing([refused(404, 'ProcessNotCompleted'), PASSED])
    await run(inputRecord(0))
    await run(inputRecord(7, { topic: 'retry' }))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('calls the API at once if the previous event was too early, and then its retry copy is the repeat', async () => {
    const { run, result, calls } = processing([refused(404, 'ProcessNotCompleted'), PASSED])
    await run(inputRecord(0))
    expect(outcomeOf(result())).toEqual([['retry'], 'deferred'])
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
    await run(inputRecord(7, { topic: 'retry' }))
    expect([outcomeOf(result()), calls.length]).toEqual([[[], 'duplicate'], 2])
  })

  test('is a repeat while the call of the previous event is in progress', async () => {
    const { run, result, calls } = processing([PASSED], undefined, { callMs: 100 })
    await run(inputRecord(0))
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[[], 'duplicate'], 1])
  })

  test('is not a repeat if the lane dropped the previous event', async () => {
    const { run, result, calls } = processing([PASSED])
    let isWanted = true
    await run(inputRecord(0), () => isWanted)
    isWanted = false
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('is a repeat if the result of the previous event is committed, even if its lane is gone', async () => {
    const { run, result, calls } = processing([PASSED])
    let isWanted = true
    await run(inputRecord(0), () => isWanted)
    const first = result()
    if (first) first.onCommitted?.(first.counts)
    isWanted = false
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[[], 'duplicate'], 1])
  })

  test('is not a repeat if the result of the previous event was replaced by a dead letter', async () => {
    const { run, result, calls } = processing([PASSED])
    await run(inputRecord(0))
    const source = { topic: 'in', partition: 0, offset: 0n }
    result()?.onCommitted?.({ kind: 'dead-letter', reason: 'unwritable', code: 'x', source })
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('calls the API if the previous event became a dead letter', async () => {
    const { run, result, calls } = processing([refused(400, 'TransactionIdInvalid'), PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1))
    expect([outcomeOf(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })
})

describe('the total time for all calls of a record', () => {
  test('is the timeout of the first call, and the next call gets the remainder', async () => {
    const { run, calls, clock } = processing([TIMEOUT, PASSED], undefined, { callMs: 3_000 })
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect(calls.map(({ withinMs }) => withinMs)).toEqual([8_000, 8_000 - 3_000 - 200])
  })

  test('allows no further call once the first one has used it up', async () => {
    const { run, result, calls, clock } = processing([TIMEOUT], undefined, { callMs: 7_500 })
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect([outcomeOf(result()), calls.length]).toEqual([[['retry'], 'deferred'], 1])
  })
})
