/**
 * The simulated API of the suite. It answers each call as planned for its record. At intervals it rejects all calls
 * of the account for a short time (an outage).
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { planOf, refusal, type Scripted } from './answers.ts'
import { Dice } from './dice.ts'
import { CANARY, numberOf } from './events.ts'

export interface Outage {
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly startedMs: number
  readonly endedMs: number
}

export interface ApiOptions {
  readonly seed: number
  /** Number of distinct transactions between two outages, or null for no outages. */
  readonly outageEvery: number | null
}

export interface ApiServer {
  readonly url: string
  readonly calls: () => number
  close(): Promise<void>
}

const OUTAGE_MS = 1_500
const DRIP_MS = 200
const LONG_HINT_MS = 3_600_000

/** The possible answers to every call during an outage. */
const OUTAGES: readonly (readonly [name: string, answer: (dice: Dice) => Scripted])[] = [
  ['Throttling.User', (dice) => refusal(400, 'Throttling.User', dice, { 'x-acs-retry-after': '300' })],
  ['Forbidden.AccountAccessDenied', (dice) => refusal(403, 'Forbidden.AccountAccessDenied', dice)],
  ['InsufficientBalance', (dice) => refusal(400, 'InsufficientBalance', dice)],
  ['ServiceUnavailable', (dice) => refusal(503, 'ServiceUnavailable', dice, { 'retry-after': '1' })],
  ['InvalidAccessKeyId.NotFound', (dice) => refusal(404, 'InvalidAccessKeyId.NotFound', dice)],
  ['ActionUnauthorized', (dice) => refusal(403, 'ActionUnauthorized', dice)],
  ['connection resets', () => ({ kind: 'reset' })],
  ['IllegalTimestamp', (dice) => refusal(400, 'IllegalTimestamp', dice)],
  [
    'a long retry hint',
    (dice) => refusal(400, 'Throttling.User', dice, { 'x-acs-retry-after': String(LONG_HINT_MS) }),
  ],
  [
    'lower-case member names',
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
  readonly outages: Outage[]
  readonly onOutage: (outage: Outage) => void
}

export async function startApi(options: ApiOptions, onOutage: (outage: Outage) => void): Promise<ApiServer> {
  const state: State = { calls: 0, callsOf: new Map(), outages: [], onOutage }
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
  const outage = outageNow(state, options)
  if (outage !== null) {
    const [, answer] = OUTAGES.find(([name]) => name === outage.name) ?? []
    if (answer !== undefined) return answer(new Dice('outage', options.seed, state.calls))
  }
  // A mutation may have made up the transaction.
  if (number === null) return planOf(options.seed, -1).respond(1)
  const call = (state.callsOf.get(number) ?? 0) + 1
  state.callsOf.set(number, call)
  return planOf(options.seed, number).respond(call)
}

function outageNow({ callsOf, outages, onOutage }: State, { seed, outageEvery }: ApiOptions): Outage | null {
  if (outageEvery === null) return null
  const nowMs = Date.now()
  const current = outages.at(-1)
  if (current !== undefined && nowMs < current.endedMs) return current
  if (callsOf.size < (outages.length + 1) * outageEvery) return null
  const [name] = OUTAGES[(seed + outages.length) % OUTAGES.length] ?? ['']
  const outage = { name, startedMs: nowMs, endedMs: nowMs + OUTAGE_MS }
  outages.push(outage)
  onOutage(outage)
  return outage
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
