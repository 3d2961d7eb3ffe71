import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  RenewedCredentials,
  type ExpiringCredentials,
} from '../../../../src/adapters/alibaba/renewed-credentials.ts'
import { FakeClock, flushPromises } from '../../../support/fake-clock.ts'
import { fakeMetrics, type RecordedMetrics } from '../../../support/fakes.ts'
import { recordingLog, type RecordingLog } from '../../../support/recording-log.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

let clock: FakeClock
let metrics: RecordedMetrics
let log: RecordingLog
/** Pending requests in order; the test completes each of them. */
let fetches: PromiseWithResolvers<ExpiringCredentials>[]
let provider: RenewedCredentials

beforeEach(() => {
  clock = new FakeClock()
  metrics = fakeMetrics()
  log = recordingLog()
  fetches = []
  provider = new RenewedCredentials({
    obtain: () => {
      const fetch = Promise.withResolvers<ExpiringCredentials>()
      fetches.push(fetch)
      return fetch.promise
    },
    source: 'a fictitious source',
    advice: 'Check the fictitious source.',
    clock,
    log,
    metrics,
  })
})

afterEach(() => provider.close())

function expiring(id: string, lifetimeMs: number): ExpiringCredentials {
  return {
    credentials: { accessKeyId: id, accessKeySecret: 'fictitious' },
    expiresAtMs: clock.epochMs() + lifetimeMs,
  }
}

async function answer(id: string, lifetimeMs: number): Promise<void> {
  fetches.at(-1)?.resolve(expiring(id, lifetimeMs))
  await flushPromises()
}

async function fail(): Promise<void> {
  fetches.at(-1)?.reject(Object.assign(new Error('fictitious-secret'), { code: 'ECONNREFUSED' }))
  await flushPromises()
}

function availableId(): string | null {
  const current = provider.current()
  if (current instanceof Promise) throw new Error('The credentials are not available without waiting.')
  return current?.accessKeyId ?? null
}

describe('the first credentials', () => {
  test('are requested before any call needs them', () => {
    expect(fetches).toHaveLength(1)
  })

  test('are not used if they have already expired', async () => {
    const current = provider.current()
    await answer('old', -1)
    expect(await current).toBeNull()
    expect(log.lines).toMatchObject([{ level: 'error', fields: { code: 'expired-at-source' } }])
    expect(metrics.of('credentialsExpire')).toEqual([])
  })

  test('are awaited for at most 20 s if the source does not respond', async () => {
    const current = provider.current()
    await clock.advance(20_000)
    expect(await current).toBeNull()
    expect(log.lines).toMatchObject([{ level: 'error', fields: { code: 'timeout' } }])
  })

  test('are requested again after 5 s, 10 s and so on up to a minute, with one log line', async () => {
    const attempts: number[] = []
    for (const pauseMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      await fail()
      await clock.advance(pauseMs - 1)
      attempts.push(fetches.length)
      await clock.advance(1)
    }
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6])
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      [
        'error',
        'Cannot obtain Alibaba Cloud credentials from a fictitious source. Calls are paused, and the service keeps trying. Check the fictitious source.',
      ],
    ])
    expect(metrics.of('credentialRefresh')).toEqual(Array.from({ length: 6 }, () => ['failed']))
  })
})

describe('credential renewal', () => {
  test.each([
    ['an hour', HOUR_MS, 45 * MINUTE_MS],
    ['the least STS grants', 15 * MINUTE_MS, 10 * MINUTE_MS],
    ['half a minute', 30_000, 20_000],
    ['next to nothing', 900, 1_000],
  ])('starts at the right time for credentials that live for %s', async (_, lifetimeMs, renewedAfterMs) => {
    await answer('a', lifetimeMs)
    await clock.advance(renewedAfterMs - 1)
    expect(fetches).toHaveLength(1)
    await clock.advance(1)
    expect(fetches).toHaveLength(2)
  })

  test('does not block calls and runs only once at a time', async () => {
    await answer('a', HOUR_MS)
    await clock.advance(45 * MINUTE_MS)
    expect([availableId(), availableId(), fetches.length]).toEqual(['a', 'a', 2])
    await answer('b', HOUR_MS)
    expect(availableId()).toBe('b')
  })

  test('is started by the next call if the timer was late because the machine slept', async () => {
    let calls = 0
    const late = new RenewedCredentials({
      obtain: () => Promise.resolve(expiring(`late-${(calls += 1)}`, HOUR_MS)),
      source: '',
      advice: '',
      clock: { epochMs: () => clock.epochMs(), monotonicMs: () => 0, after: () => () => undefined },
      log,
      metrics,
    })
    await flushPromises()
    await clock.advance(46 * MINUTE_MS)
    expect(late.current()).toMatchObject({ accessKeyId: 'late-1' })
    await flushPromises()
    expect(late.current()).toMatchObject({ accessKeyId: 'late-2' })
  })

  test('is retried before the expiry while the valid credentials stay in use', async () => {
    await answer('a', HOUR_MS)
    await clock.advance(45 * MINUTE_MS)
    await fail()
    await clock.advance(5_000)
    expect([availableId(), fetches.length]).toEqual(['a', 3])
    await answer('b', HOUR_MS)
    expect(availableId()).toBe('b')
    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'info'])
  })

  test('ends when the provider is closed', async () => {
    await answer('a', HOUR_MS)
    provider.close()
    await clock.advance(HOUR_MS)
    expect([fetches.length, clock.timers]).toEqual([1, 0])
  })

  test('sets no further timer if the provider is closed meanwhile', async () => {
    provider.close()
    await answer('a', HOUR_MS)
    expect(clock.timers).toBe(0)
  })

  test('reports the expiry of the current credentials to the metrics', async () => {
    await answer('a', HOUR_MS)
    expect(metrics.of('credentialsExpire')).toEqual([[clock.epochMs() + HOUR_MS]])
  })
})

describe('rejected credentials', () => {
  test('are replaced before the next call, once for any number of rejections', async () => {
    await answer('a', HOUR_MS)
    const current = await provider.current()
    if (current !== null) for (let calls = 0; calls < 3; calls += 1) provider.refused(current)
    expect(fetches).toHaveLength(1)
    const next = [provider.current(), provider.current()].map(async (one) => one)
    expect(fetches).toHaveLength(2)
    await answer('b', HOUR_MS)
    expect(await Promise.all(next)).toMatchObject([{ accessKeyId: 'b' }, { accessKeyId: 'b' }])
    expect(availableId()).toBe('b')
  })

  test('are used again if there are no others and they have not expired', async () => {
    await answer('a', HOUR_MS)
    const current = await provider.current()
    if (current !== null) provider.refused(current)
    const next = provider.current()
    await fail()
    expect(await next).toMatchObject({ accessKeyId: 'a' })
    expect(availableId()).toBe('a')
  })

  test('do not affect newer credentials', async () => {
    await answer('a', HOUR_MS)
    const old = await provider.current()
    await clock.advance(45 * MINUTE_MS)
    await answer('b', HOUR_MS)
    if (old !== null) provider.refused(old)
    expect(availableId()).toBe('b')
  })
})
