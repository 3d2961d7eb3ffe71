/**
 * The CheckResult API over HTTP, to develop and test against without an account. It answers as the real one does where
 * that is documented, misbehaves on request, and tells what it saw.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Credentials } from '../adapters/alibaba/sign-v3.ts'
import { createServer } from '../node-http.ts'
import { PEOPLE } from './documents.ts'
import { hash } from './hash.ts'
import { createMix } from './mix.ts'
import { CallLog, type SimulatorReport } from './report.ts'
import { scenarioOf, type Named, type Response } from './scenarios.ts'
import { RequestVerifier } from './verify-request.ts'
import { SlidingLimit } from './window.ts'

export interface SimulatorOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number
  readonly credentials: Credentials
  /** Calls in any sliding second; one more is answered with 403 `Throttling.Api`. */
  readonly qps: number | 'unlimited'
  readonly latencyMs: number
  /** Added to the latency, evenly between 0 and this. */
  readonly jitterMs?: number
  /** Scenario names and weights, for ids that name none. */
  readonly mix?: Readonly<Record<string, number>>
  readonly seed?: number
  /** Takes the place of a transaction's scenario; null leaves it to the scenario. `call` counts the transaction's from 1. */
  readonly respond?: (transactionId: string, call: number) => Response | null
  /** Told of every call that is served, before it is answered. */
  readonly onServed?: (transactionId: string) => void
  /** Told of every call, refused ones included. */
  readonly onArrival?: (arrival: Arrival) => void
}

export interface Arrival {
  /** When the head of the request had come, by the system's monotonic clock. */
  readonly atNs: bigint
  /** What the transaction's id names; null where the call was refused before it was read. */
  readonly scenario: string | null
  /** The `Code` it is answered with, or the kind of fault. */
  readonly code: string
}

export interface Simulator {
  /** Origin, as CHECKRESULT_ENDPOINT wants it. */
  readonly url: string
  report(): SimulatorReport
  callsOf(transactionId: string): number
  /** Account-wide faults from now on; what is left out is as usual again. */
  setFaults(faults: Faults): void
  close(): Promise<void>
}

const FORBID = [
  'Forbidden.RAMUserAccessDenied',
  'Forbidden.AccountAccessDenied',
  'InvalidAccessKeyId.NotFound',
  'InvalidSecurityToken.Expired',
  // Invented: what a code does that this version does not know.
  'NewRefusal',
] as const

/** The status of `InvalidSecurityToken.Expired` is not documented. */
const FORBID_STATUS: Readonly<Record<(typeof FORBID)[number], number>> = {
  'Forbidden.RAMUserAccessDenied': 403,
  'Forbidden.AccountAccessDenied': 403,
  'InvalidAccessKeyId.NotFound': 404,
  'InvalidSecurityToken.Expired': 400,
  NewRefusal: 403,
}

/** Account-wide trouble, switched on and off while it runs. */
export const faultsSchema = z.strictObject({
  /** Every call is refused with this code. */
  forbid: z.enum(FORBID).optional(),
  /** Every call is answered this way. */
  all: z.enum(['throttle', 'down', 'html', 'reset', 'hang']).optional(),
  latencyMs: z.number().min(0).max(60_000).optional(),
})
export type Faults = z.infer<typeof faultsSchema>

const KEEP_ALIVE_MS = 60_000
const HOST_ID = 'simulator'

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const state = new State(options)
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (request.url?.startsWith('/_simulator/') === true) void control(state, request, response)
    else receive(state, request, response)
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    report: () => state.log.report(),
    callsOf: (transactionId) => state.log.callsOf(transactionId),
    setFaults: (faults) => {
      state.faults = faults
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

class State {
  readonly options: SimulatorOptions
  readonly verifier: RequestVerifier
  readonly limit: SlidingLimit | null
  readonly pick: (transactionId: string) => Named
  log = new CallLog()
  faults: Faults = {}

  constructor(options: SimulatorOptions) {
    this.options = options
    this.verifier = new RequestVerifier(options.credentials)
    this.limit = options.qps === 'unlimited' ? null : new SlidingLimit(options.qps)
    this.pick = createMix(options.mix ?? { passhkid2018: 1 }, options.seed ?? 1)
  }
}

function receive(state: State, request: IncomingMessage, response: ServerResponse): void {
  const atNs = process.hrtime.bigint()
  const nowMs = performance.now()
  state.log.arrived(nowMs)
  const { latencyMs, jitterMs = 0, onArrival } = state.options
  const { answer, scenario = null } = decide(state, request, nowMs)
  onArrival?.({ atNs, scenario, code: codeOf(answer) })
  const delayMs = (state.faults.latencyMs ?? latencyMs) + (jitterMs === 0 ? 0 : Math.random() * jitterMs)
  request.resume()
  if (delayMs === 0) send(state, response, answer)
  else setTimeout(() => send(state, response, answer), delayMs)
}

interface Decision {
  readonly answer: Response
  /** Missing where the transaction was not looked at. */
  readonly scenario?: string
}

function decide(state: State, request: IncomingMessage, nowMs: number): Decision {
  const { method = '', url = '', headers } = request
  const refusal = accountRefusal(state.faults)
  if (refusal !== null) return { answer: refusal }
  const verified = state.verifier.verify({ method, url, headers }, Date.now())
  if (verified.kind === 'refused') return { answer: { kind: 'error', ...verified.refusal } }
  const { transactionId } = verified
  const { scenario, calls } = scenarioOf(transactionId) ?? state.pick(transactionId)
  const { name } = scenario
  if (state.limit?.admit(nowMs) === false)
    return { answer: { kind: 'error', status: 403, code: 'Throttling.Api' }, scenario: name }
  state.log.admitted(nowMs)
  state.options.onServed?.(transactionId)
  const call = state.log.called(transactionId)
  const answer =
    state.options.respond?.(transactionId, call) ??
    scenario.respond({ call, calls, person: hash(transactionId) % PEOPLE })
  return { answer, scenario: name }
}

/** As the report counts it. */
function codeOf(answer: Response): string {
  if (answer.kind === 'json') return 'Success'
  return answer.kind === 'error' ? answer.code : answer.kind
}

function accountRefusal({ forbid, all }: Faults): Response | null {
  if (forbid !== undefined) return { kind: 'error', status: FORBID_STATUS[forbid], code: forbid }
  switch (all) {
    case undefined:
      return null
    case 'throttle':
      return { kind: 'error', status: 403, code: 'Throttling.Api' }
    case 'down':
      return { kind: 'error', status: 503, code: 'ServiceUnavailable' }
    default:
      return { kind: all }
  }
}

const DRIP_INTERVAL_MS = 500
const OVERSIZED = Buffer.alloc(4 * 1024 * 1024, ' ')

function send(state: State, response: ServerResponse, answer: Response): void {
  state.log.answered(codeOf(answer))
  switch (answer.kind) {
    case 'json':
      return sendJson(response, answer.status, `{"RequestId":"${randomUUID().toUpperCase()}",${answer.body}`)
    case 'error':
      if (answer.retryAfterMs !== undefined) response.setHeader('x-acs-retry-after', answer.retryAfterMs)
      return sendJson(response, answer.status, errorBody(answer.code))
    case 'raw':
      response.writeHead(answer.status, answer.headers)
      response.end(answer.body)
      return
    default:
      return misbehave(response, answer.kind)
  }
}

function misbehave(response: ServerResponse, kind: 'html' | 'reset' | 'hang' | 'drip' | 'oversized'): void {
  switch (kind) {
    case 'html':
      response.writeHead(502, { 'content-type': 'text/html' })
      response.end('<html><body><h1>502 Bad Gateway</h1></body></html>')
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'hang':
      return
    case 'drip': {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write(' '), DRIP_INTERVAL_MS)
      response.on('close', () => clearInterval(timer))
      return
    }
    case 'oversized':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(OVERSIZED)
  }
}

function errorBody(code: string): string {
  return JSON.stringify({
    RequestId: randomUUID().toUpperCase(),
    HostId: HOST_ID,
    Code: code,
    Message: 'Refused by the simulator.',
  })
}

function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json;charset=utf-8',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

/** `GET /_simulator/report`, `POST /_simulator/faults` with JSON, `POST /_simulator/reset`. */
async function control(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${request.url}`
  if (route === 'GET /_simulator/report') return sendJson(response, 200, JSON.stringify(state.log.report()))
  if (route === 'POST /_simulator/reset') {
    state.log = new CallLog()
    return sendJson(response, 200, '{}')
  }
  if (route !== 'POST /_simulator/faults') return sendJson(response, 404, '{}')
  const parsed = faultsSchema.safeParse(await readJson(request))
  if (!parsed.success)
    return sendJson(response, 400, JSON.stringify({ message: z.prettifyError(parsed.error) }))
  state.faults = parsed.data
  sendJson(response, 200, JSON.stringify(state.faults))
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  try {
    // Throws too when the caller leaves before the end of the body.
    for await (const chunk of request) chunks.push(chunk as Buffer)
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return null
  }
}
