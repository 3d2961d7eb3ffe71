/**
 * The API of the suite: answers each call as its record's plan says. Now and then the whole account is refused for a moment,
 * as in weather that passes.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { planOf, refusal, type Scripted } from './answers.ts'
import { Dice } from './dice.ts'
import { CANARY, numberOf } from './events.ts'

export interface Weather {
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly startedMs: number
  readonly endedMs: number
}

export interface ApiOptions {
  readonly seed: number
  /** Distinct transactions between two weathers; null for calm. */
  readonly weatherEvery: number | null
}

export interface ApiServer {
  readonly url: string
  readonly calls: () => number
  close(): Promise<void>
}

const WEATHER_MS = 1_500
const DRIP_MS = 200
const LONG_HINT_MS = 3_600_000

/** What every call is answered with for a moment. */
const WEATHERS: readonly (readonly [name: string, answer: (dice: Dice) => Scripted])[] = [
  ['Throttling.User', (dice) => refusal(400, 'Throttling.User', dice, { 'x-acs-retry-after': '300' })],
  ['Forbidden.AccountAccessDenied', (dice) => refusal(403, 'Forbidden.AccountAccessDenied', dice)],
  ['InsufficientBalance', (dice) => refusal(400, 'InsufficientBalance', dice)],
  ['ServiceUnavailable', (dice) => refusal(503, 'ServiceUnavailable', dice, { 'retry-after': '1' })],
  ['InvalidAccessKeyId.NotFound', (dice) => refusal(404, 'InvalidAccessKeyId.NotFound', dice)],
  ['ActionUnauthorized', (dice) => refusal(403, 'ActionUnauthorized', dice)],
  ['connections that are reset', () => ({ kind: 'reset' })],
  ['IllegalTimestamp', (dice) => refusal(400, 'IllegalTimestamp', dice)],
  [
    'a long hint',
    (dice) => refusal(400, 'Throttling.User', dice, { 'x-acs-retry-after': String(LONG_HINT_MS) }),
  ],
  [
    'lower-case members',
    () => ({
      kind: 'http',
      status: 401,
      headers: {},
      body: Buffer.from(JSON.stringify({ code: 'Unauthorized', message: CANARY })),
    }),
  ],
]

interface State {
  calls: number
  readonly callsOf: Map<number, number>
  readonly weathers: Weather[]
  readonly onWeather: (weather: Weather) => void
}

export async function startApi(
  options: ApiOptions,
  onWeather: (weather: Weather) => void,
): Promise<ApiServer> {
  const state: State = { calls: 0, callsOf: new Map(), weathers: [], onWeather }
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume()
    send(request, response, answerTo(request, state, options))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => state.calls,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function answerTo(request: IncomingMessage, state: State, options: ApiOptions): Scripted {
  state.calls += 1
  const { searchParams } = new URL(request.url ?? '/', 'http://unused')
  const number = numberOf(options.seed, searchParams.get('TransactionId') ?? '')
  const weather = weatherNow(state, options)
  if (weather !== null) {
    const [, answer] = WEATHERS.find(([name]) => name === weather.name) ?? []
    if (answer !== undefined) return answer(new Dice('weather', options.seed, state.calls))
  }
  // A mutation may have made up a transaction.
  if (number === null) return planOf(options.seed, -1).respond(1)
  const call = (state.callsOf.get(number) ?? 0) + 1
  state.callsOf.set(number, call)
  return planOf(options.seed, number).respond(call)
}

function weatherNow(
  { callsOf, weathers, onWeather }: State,
  { seed, weatherEvery }: ApiOptions,
): Weather | null {
  if (weatherEvery === null) return null
  const nowMs = Date.now()
  const current = weathers.at(-1)
  if (current !== undefined && nowMs < current.endedMs) return current
  if (callsOf.size < (weathers.length + 1) * weatherEvery) return null
  const [name] = WEATHERS[(seed + weathers.length) % WEATHERS.length] ?? ['']
  const weather = { name, startedMs: nowMs, endedMs: nowMs + WEATHER_MS }
  weathers.push(weather)
  onWeather(weather)
  return weather
}

function send(request: IncomingMessage, response: ServerResponse, scripted: Scripted): void {
  switch (scripted.kind) {
    case 'http': {
      const length = scripted.status === 204 ? {} : { 'content-length': scripted.body.length }
      response.writeHead(scripted.status, { ...scripted.headers, ...length })
      response.end(scripted.body)
      return
    }
    case 'raw':
      request.socket.end(scripted.bytes)
      return
    case 'reset':
      request.socket.resetAndDestroy()
      return
    case 'silence':
      return
    case 'drip': {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write(' '), DRIP_MS)
      response.on('close', () => clearInterval(timer))
    }
  }
}
