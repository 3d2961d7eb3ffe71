import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createCheckResultClient } from '../../../src/adapters/alibaba/client.ts'
import type { Credentials } from '../../../src/adapters/alibaba/sign-v3.ts'
import type { Reply } from '../../../src/core/calls/answer.ts'
import {
  startSimulator,
  type Arrival,
  type Faults,
  type Simulator,
  type SimulatorOptions,
} from '../../../simulator/simulator.ts'
import { handingOut } from '../../support/credentials.ts'

const KEY: Credentials = { accessKeyId: 'testid', accessKeySecret: 'testsecret' }
/** Long enough for a response over loopback on a busy machine, and short enough to wait for. */
const SHORT_TIMEOUT_MS = 150
const LONG_TIMEOUT_MS = 5_000

const opened: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function start(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const simulator = await startSimulator({ credentials: KEY, qps: 'unlimited', latencyMs: 0, ...options })
  opened.push(() => simulator.close())
  return simulator
}

/** A caller that uses the service's own client and signature. */
function callerFor(simulator: Simulator, options: { credentials?: Credentials; timeoutMs?: number } = {}) {
  const { credentials = KEY, timeoutMs = LONG_TIMEOUT_MS } = options
  const client = createCheckResultClient({
    endpoint: simulator.url,
    credentials: handingOut(() => credentials),
    timeoutMs,
  })
  opened.push(() => client.close())
  return (transactionId: string): Promise<Reply> =>
    client.check({ transactionId, merchantBizId: 'biz1' }, timeoutMs)
}

/** Short form of a reply: its status and code, or why there was none. */
function summaryOf(reply: Reply): string {
  return reply.kind === 'answer' ? `${reply.status} ${reply.code}` : reply.failure
}

async function control(simulator: Simulator, path: string, body?: string) {
  const response = await fetch(`${simulator.url}/_simulator/${path}`, {
    ...(path === 'report' ? {} : { method: 'POST' }),
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, body: await response.json() }
}

describe('a simulated call', () => {
  test('gets the response that its transaction id names', async () => {
    const ask = callerFor(await start())
    const replies = await Promise.all(['passhkid2018x1', 'invalididx1', 'notyetx1', 'error500x1'].map(ask))
    expect(replies.map(summaryOf)).toEqual([
      '200 Success',
      '400 TransactionIdInvalid',
      '404 ProcessNotCompleted',
      '500 InternalError',
    ])
  })

  test('is logged with its time, its ids and its outcome', async () => {
    const arrivals: Arrival[] = []
    const before = process.hrtime.bigint()
    const ask = callerFor(await start({ qps: 1, onArrival: (arrival) => arrivals.push(arrival) }))
    await ask('passhkid2018x1')
    await ask('passpassportx1')
    const stranger = { accessKeyId: 'stranger', accessKeySecret: 'testsecret' }
    await callerFor(await start({ onArrival: (arrival) => arrivals.push(arrival) }), {
      credentials: stranger,
    })('x')
    const times = [before, ...arrivals.map(({ atNs }) => atNs), process.hrtime.bigint()]
    expect(times.toSorted((one, other) => Number(one - other))).toEqual(times)
    expect(arrivals.map(({ scenario, code }) => [scenario, code])).toEqual([
      ['passhkid2018', 'Success'],
      ['passpassport', 'Throttling.Api'],
      [null, 'InvalidAccessKeyId.NotFound'],
    ])
  })

  test('gets a unique request id', async () => {
    const ask = callerFor(await start())
    const ids = (await Promise.all([ask('passhkid2018x1'), ask('passhkid2018x1')])).map((reply) =>
      reply.kind === 'answer' ? reply.requestId : null,
    )
    expect(ids[0]).toMatch(/^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/)
    expect(ids[1]).not.toBe(ids[0])
  })

  test('fails as often as its transaction id says, then succeeds', async () => {
    const ask = callerFor(await start())
    const replies = [await ask('flaky2x1'), await ask('flaky2x1'), await ask('flaky2x1')]
    expect(replies.map(summaryOf)).toEqual([
      '503 ServiceUnavailable',
      '503 ServiceUnavailable',
      '200 Success',
    ])
  })

  test('gets a response from the mix if its transaction id names no scenario', async () => {
    const ask = callerFor(await start({ mix: { invalidparameter: 1 } }))
    expect(summaryOf(await ask('hksb7ba1b28130d24e015d694361bee4'))).toBe('400 InvalidParameter')
  })

  test('gets a retry hint in milliseconds when it is throttled', async () => {
    const ask = callerFor(await start())
    expect(await ask('throttledx1')).toMatchObject({
      status: 400,
      code: 'Throttling.User',
      retryAfterMs: 100,
    })
  })

  test('is rejected if it is signed with the wrong secret', async () => {
    const ask = callerFor(await start(), { credentials: { ...KEY, accessKeySecret: 'other' } })
    expect(summaryOf(await ask('passhkid2018x1'))).toBe('400 SignatureDoesNotMatch')
  })

  test('is accepted with temporary credentials and their token', async () => {
    const credentials = { ...KEY, securityToken: 'CAIStoken+/==' }
    const simulator = await start({ credentials })
    expect(summaryOf(await callerFor(simulator, { credentials })('passhkid2018x1'))).toBe('200 Success')
    expect(summaryOf(await callerFor(simulator)('passhkid2018x1'))).toBe('400 MissingSecurityToken')
  })

  test('takes the configured latency', async () => {
    const ask = callerFor(await start({ latencyMs: 60 }))
    const startedMs = performance.now()
    await ask('passhkid2018x1')
    // A timer may fire a millisecond early as measured by another clock.
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(59)
  })
})

describe('scenarios without a response', () => {
  test.each([
    ['html502x1', 'not-json'],
    ['resetx1', 'reset'],
    ['oversizedx1', 'too-large'],
  ])('%s fails with %s', async (transactionId, failure) => {
    const ask = callerFor(await start())
    expect(summaryOf(await ask(transactionId))).toBe(failure)
    expect(summaryOf(await ask(transactionId))).toBe('200 Success')
  })

  test.each(['hangx1', 'dripx1'])('%s makes the caller time out', async (transactionId) => {
    const simulator = await start()
    expect(summaryOf(await callerFor(simulator, { timeoutMs: SHORT_TIMEOUT_MS })(transactionId))).toBe(
      'timeout',
    )
    expect(summaryOf(await callerFor(simulator)(transactionId))).toBe('200 Success')
  })
})

describe('the simulated quota', () => {
  test('throttles the N+1st call within a second, regardless of its transaction', async () => {
    const simulator = await start({ qps: 5 })
    const ask = callerFor(simulator)
    const replies = await Promise.all(Array.from({ length: 8 }, (_, number) => ask(`passhkid2018x${number}`)))
    const counts = replies.map(summaryOf)
    expect(counts.filter((code) => code === '200 Success')).toHaveLength(5)
    expect(counts.filter((code) => code === '403 Throttling.Api')).toHaveLength(3)
    expect(simulator.report()).toMatchObject({ maxCallsInASecond: 8, maxAdmittedInASecond: 5 })
  })

  test('is not used up by rejected calls', async () => {
    const simulator = await start({ qps: 1 })
    await callerFor(simulator, { credentials: { ...KEY, accessKeySecret: 'other' } })('passhkid2018x1')
    expect(summaryOf(await callerFor(simulator)('passhkid2018x1'))).toBe('200 Success')
  })

  test('a throttled call does not count towards the scenario of its transaction', async () => {
    const simulator = await start({ qps: 1 })
    const ask = callerFor(simulator)
    await ask('notyetx1')
    expect(summaryOf(await ask('notyetx1'))).toBe('403 Throttling.Api')
    expect(simulator.callsOf('notyetx1')).toBe(1)
  })
})

describe('account-wide faults', () => {
  const faults: [Faults, string][] = [
    [{ forbid: 'Forbidden.RAMUserAccessDenied' }, '403 Forbidden.RAMUserAccessDenied'],
    [{ forbid: 'Forbidden.AccountAccessDenied' }, '403 Forbidden.AccountAccessDenied'],
    [{ forbid: 'InvalidAccessKeyId.NotFound' }, '404 InvalidAccessKeyId.NotFound'],
    [{ forbid: 'InvalidSecurityToken.Expired' }, '400 InvalidSecurityToken.Expired'],
    [{ all: 'throttle' }, '403 Throttling.Api'],
    [{ all: 'down' }, '503 ServiceUnavailable'],
    [{ all: 'html' }, 'not-json'],
    [{ all: 'reset' }, 'reset'],
  ]

  test.each(faults)('%j: every call gets %s until the fault ends', async (fault, wanted) => {
    const simulator = await start()
    const ask = callerFor(simulator)
    simulator.setFaults(fault)
    expect(summaryOf(await ask('passhkid2018x1'))).toBe(wanted)
    simulator.setFaults({})
    expect(summaryOf(await ask('passhkid2018x1'))).toBe('200 Success')
  })

  test('"hang" makes the caller time out', async () => {
    const simulator = await start()
    simulator.setFaults({ all: 'hang' })
    expect(summaryOf(await callerFor(simulator, { timeoutMs: SHORT_TIMEOUT_MS })('passhkid2018x1'))).toBe(
      'timeout',
    )
  })

  test('can be switched over HTTP', async () => {
    const simulator = await start()
    const ask = callerFor(simulator)
    expect(await control(simulator, 'faults', '{"all":"down"}')).toEqual({
      status: 200,
      body: { all: 'down' },
    })
    expect(summaryOf(await ask('passhkid2018x1'))).toBe('503 ServiceUnavailable')
    expect(await control(simulator, 'faults', '{}')).toEqual({ status: 200, body: {} })
    expect(summaryOf(await ask('passhkid2018x1'))).toBe('200 Success')
  })

  test.each(['{"all":"explode"}', '{"unknown":1}', 'no json', ''])(
    'an unknown fault changes nothing: %j',
    async (body) => {
      const simulator = await start()
      expect(await control(simulator, 'faults', body)).toMatchObject({ status: 400 })
      expect(summaryOf(await callerFor(simulator)('passhkid2018x1'))).toBe('200 Success')
    },
  )
})

describe('the report', () => {
  test('counts calls by code and transactions by calls, and is available over HTTP', async () => {
    const simulator = await start()
    const ask = callerFor(simulator)
    for (const id of ['passhkid2018x1', 'flakyx1', 'flakyx1', 'resetx1']) await ask(id)
    const report = {
      calls: 4,
      callsByCode: { Success: 2, ServiceUnavailable: 1, reset: 1 },
      transactionsByCalls: { 1: 2, 2: 1 },
    }
    expect(simulator.report()).toMatchObject(report)
    const { callsInTheLastSecond, ...rest } = simulator.report()
    expect(callsInTheLastSecond).toBeLessThanOrEqual(4)
    const any: unknown = expect.any(Number)
    expect(await control(simulator, 'report')).toEqual({
      status: 200,
      body: { callsInTheLastSecond: any, ...rest },
    })
  })

  test('starts from zero after a reset', async () => {
    const simulator = await start()
    await callerFor(simulator)('passhkid2018x1')
    await control(simulator, 'reset')
    expect(simulator.report()).toMatchObject({ calls: 0, maxCallsInASecond: 0 })
    expect(simulator.callsOf('passhkid2018x1')).toBe(0)
  })

  test('does not count requests for the report itself', async () => {
    const simulator = await start()
    await control(simulator, 'report')
    expect(await control(simulator, 'nothing')).toMatchObject({ status: 404 })
    expect(simulator.report().calls).toBe(0)
  })
})

describe("the simulator's server", () => {
  test('keeps connections alive', async () => {
    const simulator = await start()
    const first = await fetch(`${simulator.url}/`, { method: 'POST' })
    await first.arrayBuffer()
    expect(first.headers.get('connection')).toBe('keep-alive')
    expect(first.headers.get('keep-alive')).toBe('timeout=60')
  })

  test('listens only on loopback, each server on a different port', async () => {
    const [one, other] = await Promise.all([start(), start()])
    expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(other.url).not.toBe(one.url)
  })

  test('reports a port that is in use', async () => {
    const { url } = await start()
    await expect(start({ port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE')
  })

  test('closes even with calls in flight', async () => {
    const simulator = await startSimulator({ credentials: KEY, qps: 'unlimited', latencyMs: 0 })
    const pending = callerFor(simulator)('hangx1')
    while (simulator.report().calls === 0) await new Promise((done) => void setImmediate(done))
    await simulator.close()
    expect(summaryOf(await pending)).toBe('reset')
  })

  test('can be closed twice', async () => {
    const simulator = await start()
    await simulator.close()
    await simulator.close()
    await expect(fetch(simulator.url)).rejects.toThrow('fetch failed')
  })

  test('keeps serving when a caller disconnects from a faulty response', async () => {
    const simulator = await start()
    const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write('POST /_simulator/faults HTTP/1.1\r\nhost: h\r\ncontent-length: 99\r\n\r\n{"all":')
    // A response on another connection shows that the server has started the first one.
    await control(simulator, 'report')
    socket.resetAndDestroy()
    await once(socket, 'close')
    await control(simulator, 'report')
    expect(summaryOf(await callerFor(simulator)('passhkid2018x1'))).toBe('200 Success')
  })

  test('keeps serving when a caller disconnects during a call', async () => {
    const simulator = await start({ latencyMs: 20 })
    const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write('POST /?TransactionId=t HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n')
    while (simulator.report().calls === 0) await new Promise((done) => void setImmediate(done))
    socket.destroy()
    await once(socket, 'close')
    expect(summaryOf(await callerFor(simulator)('passhkid2018x1'))).toBe('200 Success')
  })
})
