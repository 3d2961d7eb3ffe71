import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createCheckResultClient } from '../../../src/adapters/alibaba/client.ts'
import type { Credentials } from '../../../src/adapters/alibaba/sign-v3.ts'
import type { Reply } from '../../../src/core/answer.ts'
import {
  startSimulator,
  type Arrival,
  type Faults,
  type Simulator,
  type SimulatorOptions,
} from '../../../src/simulator/simulator.ts'
import { handingOut } from '../../support/credentials.ts'

const KEY: Credentials = { accessKeyId: 'testid', accessKeySecret: 'testsecret' }
/** Long enough for an answer over loopback on a busy machine, short enough to wait for. */
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

/** The service's own client, signing as it does. */
function asking(simulator: Simulator, options: { credentials?: Credentials; timeoutMs?: number } = {}) {
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

/** A reply in short: the code and the status, or how there was none. */
function inShort(reply: Reply): string {
  return reply.kind === 'answer' ? `${reply.status} ${reply.code}` : reply.failure
}

async function control(simulator: Simulator, path: string, body?: string) {
  const response = await fetch(`${simulator.url}/_simulator/${path}`, {
    ...(path === 'report' ? {} : { method: 'POST' }),
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, body: await response.json() }
}

describe('a call', () => {
  test('is answered as its transaction id says', async () => {
    const ask = asking(await start())
    const replies = await Promise.all(['passhkid2018x1', 'invalididx1', 'notyetx1', 'error500x1'].map(ask))
    expect(replies.map(inShort)).toEqual([
      '200 Success',
      '400 TransactionIdInvalid',
      '404 ProcessNotCompleted',
      '500 InternalError',
    ])
  })

  test('is told of with when it came, what it asked for and what it was answered', async () => {
    const arrivals: Arrival[] = []
    const before = process.hrtime.bigint()
    const ask = asking(await start({ qps: 1, onArrival: (arrival) => arrivals.push(arrival) }))
    await ask('passhkid2018x1')
    await ask('passpassportx1')
    const stranger = { accessKeyId: 'stranger', accessKeySecret: 'testsecret' }
    await asking(await start({ onArrival: (arrival) => arrivals.push(arrival) }), { credentials: stranger })(
      'x',
    )
    const times = [before, ...arrivals.map(({ atNs }) => atNs), process.hrtime.bigint()]
    expect(times.toSorted((one, other) => Number(one - other))).toEqual(times)
    expect(arrivals.map(({ scenario, code }) => [scenario, code])).toEqual([
      ['passhkid2018', 'Success'],
      ['passpassport', 'Throttling.Api'],
      [null, 'InvalidAccessKeyId.NotFound'],
    ])
  })

  test('has a request id of its own', async () => {
    const ask = asking(await start())
    const ids = (await Promise.all([ask('passhkid2018x1'), ask('passhkid2018x1')])).map((reply) =>
      reply.kind === 'answer' ? reply.requestId : null,
    )
    expect(ids[0]).toMatch(/^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/)
    expect(ids[1]).not.toBe(ids[0])
  })

  test('goes wrong as often as the id says, then well', async () => {
    const ask = asking(await start())
    const replies = [await ask('flaky2x1'), await ask('flaky2x1'), await ask('flaky2x1')]
    expect(replies.map(inShort)).toEqual(['503 ServiceUnavailable', '503 ServiceUnavailable', '200 Success'])
  })

  test('for an id that names nothing is answered from the mix', async () => {
    const ask = asking(await start({ mix: { invalidparameter: 1 } }))
    expect(inShort(await ask('hksb7ba1b28130d24e015d694361bee4'))).toBe('400 InvalidParameter')
  })

  test('that throttles says when to come again, in milliseconds', async () => {
    const ask = asking(await start())
    expect(await ask('throttledx1')).toMatchObject({
      status: 400,
      code: 'Throttling.User',
      retryAfterMs: 100,
    })
  })

  test('with the wrong secret is refused', async () => {
    const ask = asking(await start(), { credentials: { ...KEY, accessKeySecret: 'other' } })
    expect(inShort(await ask('passhkid2018x1'))).toBe('400 SignatureDoesNotMatch')
  })

  test('with temporary credentials is accepted with their token', async () => {
    const credentials = { ...KEY, securityToken: 'CAIStoken+/==' }
    const simulator = await start({ credentials })
    expect(inShort(await asking(simulator, { credentials })('passhkid2018x1'))).toBe('200 Success')
    expect(inShort(await asking(simulator)('passhkid2018x1'))).toBe('400 MissingSecurityToken')
  })

  test('takes the latency asked for', async () => {
    const ask = asking(await start({ latencyMs: 60 }))
    const startedMs = performance.now()
    await ask('passhkid2018x1')
    // A timer may fire a millisecond early by another clock.
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(59)
  })
})

describe('what is no answer at all', () => {
  test.each([
    ['html502x1', 'not-json'],
    ['resetx1', 'reset'],
    ['oversizedx1', 'too-large'],
  ])('%s: %s', async (transactionId, failure) => {
    const ask = asking(await start())
    expect(inShort(await ask(transactionId))).toBe(failure)
    expect(inShort(await ask(transactionId))).toBe('200 Success')
  })

  test.each(['hangx1', 'dripx1'])('%s: the caller has to give up', async (transactionId) => {
    const simulator = await start()
    expect(inShort(await asking(simulator, { timeoutMs: SHORT_TIMEOUT_MS })(transactionId))).toBe('timeout')
    expect(inShort(await asking(simulator)(transactionId))).toBe('200 Success')
  })
})

describe('the quota', () => {
  test('refuses the N+1st call within a second, whatever it is for', async () => {
    const simulator = await start({ qps: 5 })
    const ask = asking(simulator)
    const replies = await Promise.all(Array.from({ length: 8 }, (_, number) => ask(`passhkid2018x${number}`)))
    const counts = replies.map(inShort)
    expect(counts.filter((code) => code === '200 Success')).toHaveLength(5)
    expect(counts.filter((code) => code === '403 Throttling.Api')).toHaveLength(3)
    expect(simulator.report()).toMatchObject({ maxCallsInASecond: 8, maxAdmittedInASecond: 5 })
  })

  test('is not spent by calls that are refused before', async () => {
    const simulator = await start({ qps: 1 })
    await asking(simulator, { credentials: { ...KEY, accessKeySecret: 'other' } })('passhkid2018x1')
    expect(inShort(await asking(simulator)('passhkid2018x1'))).toBe('200 Success')
  })

  test('does not let a throttled call count for its transaction', async () => {
    const simulator = await start({ qps: 1 })
    const ask = asking(simulator)
    await ask('notyetx1')
    expect(inShort(await ask('notyetx1'))).toBe('403 Throttling.Api')
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

  test.each(faults)('%j: every call %s, until it is over', async (fault, wanted) => {
    const simulator = await start()
    const ask = asking(simulator)
    simulator.setFaults(fault)
    expect(inShort(await ask('passhkid2018x1'))).toBe(wanted)
    simulator.setFaults({})
    expect(inShort(await ask('passhkid2018x1'))).toBe('200 Success')
  })

  test('hang: the caller has to give up', async () => {
    const simulator = await start()
    simulator.setFaults({ all: 'hang' })
    expect(inShort(await asking(simulator, { timeoutMs: SHORT_TIMEOUT_MS })('passhkid2018x1'))).toBe(
      'timeout',
    )
  })

  test('are switched over HTTP too', async () => {
    const simulator = await start()
    const ask = asking(simulator)
    expect(await control(simulator, 'faults', '{"all":"down"}')).toEqual({
      status: 200,
      body: { all: 'down' },
    })
    expect(inShort(await ask('passhkid2018x1'))).toBe('503 ServiceUnavailable')
    expect(await control(simulator, 'faults', '{}')).toEqual({ status: 200, body: {} })
    expect(inShort(await ask('passhkid2018x1'))).toBe('200 Success')
  })

  test.each(['{"all":"explode"}', '{"unknown":1}', 'no json', ''])(
    'that do not exist change nothing: %j',
    async (body) => {
      const simulator = await start()
      expect(await control(simulator, 'faults', body)).toMatchObject({ status: 400 })
      expect(inShort(await asking(simulator)('passhkid2018x1'))).toBe('200 Success')
    },
  )
})

describe('the report', () => {
  test('counts calls by code and transactions by calls, also over HTTP', async () => {
    const simulator = await start()
    const ask = asking(simulator)
    for (const id of ['passhkid2018x1', 'flakyx1', 'flakyx1', 'resetx1']) await ask(id)
    const report = {
      calls: 4,
      callsByCode: { Success: 2, ServiceUnavailable: 1, reset: 1 },
      transactionsByCalls: { 1: 2, 2: 1 },
    }
    expect(simulator.report()).toMatchObject(report)
    expect(await control(simulator, 'report')).toEqual({ status: 200, body: simulator.report() })
  })

  test('begins anew after a reset', async () => {
    const simulator = await start()
    await asking(simulator)('passhkid2018x1')
    await control(simulator, 'reset')
    expect(simulator.report()).toMatchObject({ calls: 0, maxCallsInASecond: 0 })
    expect(simulator.callsOf('passhkid2018x1')).toBe(0)
  })

  test('does not count the questions about it', async () => {
    const simulator = await start()
    await control(simulator, 'report')
    expect(await control(simulator, 'nothing')).toMatchObject({ status: 404 })
    expect(simulator.report().calls).toBe(0)
  })
})

describe('the server', () => {
  test('keeps a connection for the next call', async () => {
    const simulator = await start()
    const first = await fetch(`${simulator.url}/`, { method: 'POST' })
    await first.arrayBuffer()
    expect(first.headers.get('connection')).toBe('keep-alive')
    expect(first.headers.get('keep-alive')).toBe('timeout=60')
  })

  test('is on loopback only, each on a port of its own', async () => {
    const [one, other] = await Promise.all([start(), start()])
    expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(other.url).not.toBe(one.url)
  })

  test('says that a port is taken', async () => {
    const { url } = await start()
    await expect(start({ port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE')
  })

  test('closes with calls still open', async () => {
    const simulator = await startSimulator({ credentials: KEY, qps: 'unlimited', latencyMs: 0 })
    const pending = asking(simulator)('hangx1')
    while (simulator.report().calls === 0) await new Promise((done) => void setImmediate(done))
    await simulator.close()
    expect(inShort(await pending)).toBe('reset')
  })

  test('may be closed twice', async () => {
    const simulator = await start()
    await simulator.close()
    await simulator.close()
    await expect(fetch(simulator.url)).rejects.toThrow('fetch failed')
  })

  test('outlives a caller that leaves in the middle of the faults it sends', async () => {
    const simulator = await start()
    const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write('POST /_simulator/faults HTTP/1.1\r\nhost: h\r\ncontent-length: 99\r\n\r\n{"all":')
    // An answer on another connection: by then the server has begun with the first.
    await control(simulator, 'report')
    socket.resetAndDestroy()
    await once(socket, 'close')
    await control(simulator, 'report')
    expect(inShort(await asking(simulator)('passhkid2018x1'))).toBe('200 Success')
  })

  test('outlives a caller that leaves in the middle of a call', async () => {
    const simulator = await start({ latencyMs: 20 })
    const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write('POST /?TransactionId=t HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n')
    while (simulator.report().calls === 0) await new Promise((done) => void setImmediate(done))
    socket.destroy()
    await once(socket, 'close')
    expect(inShort(await asking(simulator)('passhkid2018x1'))).toBe('200 Success')
  })
})
