/**
 * A simulated CheckResult API over HTTP, for development and tests without an account. It answers like the real one
 * where that is documented, misbehaves on request, and reports what it received.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Credentials } from '../src/adapters/alibaba/sign-v3.ts'
import { createServer } from '../src/node-http.ts'
import { PEOPLE } from './documents.ts'
import { hash } from './hash.ts'
import { createMix } from './mix.ts'
import { CallLog, type SimulatorReport } from './report.ts'
import { scenarioOf, type Named, type Response } from './scenarios.ts'
import { RequestVerifier } from './verify-request.ts'
import { SlidingLimit } from './window.ts'

export interface SimulatorOptions {
  /** Defaults to 0, which picks a free port. */
  readonly port?: number
  readonly credentials: Credentials
  /** Maximum number of calls in any sliding second. Further calls are answered with 403 `Throttling.Api`. */
  readonly qps: number | 'unlimited'
  readonly latencyMs: number
  /** Random addition to the latency, evenly distributed between 0 and this value. */
  readonly jitterMs?: number
  /** Scenario names and weights, for ids that name no scenario. */
  readonly mix?: Readonly<Record<string, number>>
  readonly seed?: number
  /**
   * Overrides a transaction's scenario; null keeps the scenario. `call` counts the calls of the transaction from 1.
   */
  readonly respond?: (transactionId: string, call: number) => Response | null
  /** Called for every call that is served, before the answer is sent. */
  readonly onServed?: (transactionId: string) => void
  /** Called for every call, including rejected ones. */
  readonly onArrival?: (arrival: Arrival) => void
}

export interface Arrival {
  /** Time when the request's header had arrived, by the system's monotonic clock. */
  readonly atNs: bigint
  /** The scenario of the transaction. Null if the call was rejected before its id was read. */
  readonly scenario: string | null
  /** The `Code` of the answer, or the kind of fault. */
  readonly code: string
}

export interface Simulator {
  /** Origin, in the form of CHECKRESULT_ENDPOINT. */
  readonly url: string
  report(): SimulatorReport
  callsOf(transactionId: string): number
  /** Sets the account-wide faults from now on. Faults that are left out end. */
  setFaults(faults: Faults): void
  close(): Promise<void>
}

const FORBID = [
  'Forbidden.RAMUserAccessDenied',
  'Forbidden.AccountAccessDenied',
  'InvalidAccessKeyId.NotFound',
  'InvalidSecurityToken.Expired',
  // An invented code, to test codes that this version does not know.
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

/** Account-wide faults, which can be changed while the simulator runs. */
export const faultsSchema = z.strictObject({
  /** Every call is rejected with this code. */
  forbid: z.enum(FORBID).optional(),
  /** Every call gets this kind of answer. */
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
    report: () => state.log.report(performance.now()),
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
  /** Absent if the transaction id was not read. */
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

/** The code that the report counts. */
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
    Message: 'Rejected by the simulator.',
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
  if (route === 'GET /_simulator/report')
    return sendJson(response, 200, JSON.stringify(state.log.report(performance.now())))
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
    // Also throws if the caller disconnects before the end of the body.
    for await (const chunk of request) chunks.push(chunk as Buffer)
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return null
  }
}
