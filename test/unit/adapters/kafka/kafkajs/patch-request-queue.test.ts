import { createRequire } from 'node:module'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RequestQueueClass, type RequestQueue } from '../../../../../src/adapters/kafka/kafkajs/internals.ts'
import { applyPatches } from '../../../../../src/adapters/kafka/kafkajs/patches.ts'

interface Queue extends RequestQueue {
  throttledUntil: number
  push(request: { entry: { correlationId: number }; expectResponse: boolean; sendRequest: () => void }): void
  fulfillRequest(response: { correlationId: number; payload: Buffer; size: number }): void
}

const TIMEOUT_MS = 30_000

function queueOf(maxInFlightRequests: number | null, Class = RequestQueueClass): Queue {
  const quiet = { debug: () => undefined, warn: () => undefined }
  return new Class({
    maxInFlightRequests,
    requestTimeout: TIMEOUT_MS,
    enforceRequestTimeout: true,
    clientId: 'test',
    broker: 'test',
    logger: quiet,
  }) as Queue
}

/** Pushes requests and records which were sent and which failed. */
function pushing(queue: Queue) {
  const sent: number[] = []
  const failed: string[] = []
  const reject = ({ name }: Error): void => void failed.push(name)
  const push = (correlationId: number): void =>
    queue.push({
      entry: { correlationId, resolve: () => undefined, reject } as { correlationId: number },
      expectResponse: true,
      sendRequest: () => void sent.push(correlationId),
    })
  const answer = (correlationId: number): void =>
    queue.fulfillRequest({ correlationId, payload: Buffer.alloc(0), size: 0 })
  return { sent, failed, push, answer }
}

beforeEach(() => {
  vi.useFakeTimers()
  applyPatches()
})
afterEach(() => void vi.useRealTimers())

/** A second, unpatched copy of the class from kafkajs. */
function unpatchedClass(): typeof RequestQueueClass {
  const require = createRequire(import.meta.url)
  const file = require.resolve('kafkajs/src/network/requestQueue')
  const patched = require.cache[file]
  delete require.cache[file]
  const unpatched = require(file) as typeof RequestQueueClass
  require.cache[file] = patched
  return unpatched
}

describe('an idle request queue', () => {
  test('has no timer, even after answered requests', () => {
    const queue = queueOf(null)
    const { push, answer } = pushing(queue)
    queue.checkPendingRequests()
    push(1)
    answer(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('would have a permanent timer without the patch', () => {
    queueOf(null, unpatchedClass()).checkPendingRequests()
    vi.advanceTimersByTime(1_000)
    expect(vi.getTimerCount()).toBe(1)
  })
})

describe('a throttled request queue', () => {
  test('sends pending requests when throttling ends, with one timer for any number of requests', () => {
    const queue = queueOf(null)
    queue.throttledUntil = Date.now() + 700
    const { push, sent } = pushing(queue)
    push(1)
    push(2)
    expect([sent, vi.getTimerCount()]).toEqual([[], 1])
    vi.advanceTimersByTime(699)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(1)
    expect([sent, vi.getTimerCount()]).toEqual([[1, 2], 0])
  })

  test('keeps waiting if throttling was extended meanwhile', () => {
    const queue = queueOf(null)
    queue.throttledUntil = Date.now() + 100
    const { push, sent } = pushing(queue)
    push(1)
    queue.throttledUntil = Date.now() + 500
    vi.advanceTimersByTime(499)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(1)
    expect(sent).toEqual([1])
  })
})

test('a request queue at its in-flight limit sends a pending request when a response arrives', () => {
  const { push, answer, sent } = pushing(queueOf(1))
  push(1)
  push(2)
  expect(sent).toEqual([1])
  answer(1)
  expect(sent).toEqual([1, 2])
})

test('a destroyed request queue has no timer', () => {
  const queue = queueOf(null)
  queue.throttledUntil = Date.now() + 100
  pushing(queue).push(1)
  queue.destroy()
  expect(vi.getTimerCount()).toBe(0)
})

test('an unanswered request fails at most one second after its timeout', () => {
  const queue = queueOf(null)
  const { push, failed } = pushing(queue)
  queue.scheduleRequestTimeoutCheck()
  push(1)
  vi.advanceTimersByTime(TIMEOUT_MS)
  expect(failed).toEqual([])
  vi.advanceTimersByTime(1_001)
  expect(failed).toEqual(['KafkaJSRequestTimeoutError'])
  queue.destroy()
  expect(vi.getTimerCount()).toBe(0)
})

test('an unanswered request closes its connection, which fails all pending requests', () => {
  const queue = queueOf(null)
  const { push, failed } = pushing(queue)
  const giveUp = vi.fn<() => void>()
  queue.giveUp = giveUp
  queue.scheduleRequestTimeoutCheck()
  push(1)
  vi.advanceTimersByTime(TIMEOUT_MS)
  expect(giveUp).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1_001)
  expect(giveUp).toHaveBeenCalledOnce()
  expect(failed).toEqual([])
})

test('a clock that jumps forward times out no request', () => {
  const queue = queueOf(null)
  const { push, failed } = pushing(queue)
  queue.scheduleRequestTimeoutCheck()
  push(1)
  vi.advanceTimersByTime(2_000)
  vi.setSystemTime(Date.now() + 3_600_000)
  vi.advanceTimersByTime(2_000)
  expect(failed).toEqual([])
})
