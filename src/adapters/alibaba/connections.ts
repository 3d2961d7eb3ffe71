/**
 * Keep-alive connections to one origin. The most recently used one is taken first, so that surplus ones become idle
 * and are closed. Connections are opened in advance, plus one whenever the last idle one is taken, because a call
 * that has its permit should not wait for a handshake.
 *
 * This replaces undici's Pool, whose linear search for a free connection took a sixth of the service's CPU time at
 * 256 connections. Rejects with {@link HttpRequestError}; its cause is undici's error, {@link DEADLINE_PASSED} or
 * {@link NOT_STARTED}.
 */
import type { buildConnector as BuildConnector, Dispatcher } from 'undici'
import buildConnector from 'undici/lib/core/connect.js'
import Client from 'undici/lib/dispatcher/client.js'
import type { CallTicket } from '../../core/calls/call-ticket.ts'

export interface ConnectionsOptions {
  readonly origin: string
  readonly connectTimeoutMs: number
  /** Connections are replaced after this time, so that a new address of the origin is noticed. */
  readonly maxAgeMs: number
  readonly maxResponseBytes: number
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly text: string
}

/** Carries the status if the response had begun. */
export class HttpRequestError extends Error {
  readonly status: number | null

  constructor(cause: unknown, status: number | null) {
    super('The HTTP request failed.', { cause })
    this.status = status
  }
}

export interface Post {
  readonly path: string
  readonly headers: Record<string, string>
  readonly withinMs: number
  /** Null for a call that needs no permit. */
  readonly ticket: Pick<CallTicket, 'confirm'> | null
}

export const NOT_STARTED = new Error('The HTTP request must not start any more.')
export const DEADLINE_PASSED = new Error('The HTTP request exceeded its deadline.')

interface Connection {
  readonly client: Client
  readonly sinceMs: number
  isOpen: boolean
}

/** Applies unless the peer announces another time. */
const KEEP_ALIVE_MS = 30_000
/** Aborts a request that only opens its connection, before any byte is written. */
const OPENED = new Error('The connection is open.')
/** undici requires this callback. */
const NEVER = (): void => undefined

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #all = new Set<Client>()
  /** Contains open connections only. */
  readonly #idle: Connection[] = []
  readonly #connect: BuildConnector.connector
  #opening = 0
  #warmTarget = 0

  constructor(options: ConnectionsOptions) {
    this.#options = options
    // Shared by all connections, so that TLS sessions are resumed.
    this.#connect = buildConnector({ timeout: options.connectTimeoutMs, allowH2: false })
  }

  /** Keeps this many connections idle. If one cannot be opened, the next call finds out. */
  warm(count: number): void {
    this.#warmTarget = count
    for (let missing = count - this.#idle.length - this.#opening; missing > 0; missing -= 1) this.#openAhead()
  }

  /**
   * Has no limit of its own: the limit on calls in flight is the limit on connections. `withinMs` covers the whole
   * request, from the first byte sent to the last byte received. Rejects with {@link NOT_STARTED} as the cause if
   * the ticket is not confirmed right before the first byte is written.
   */
  post({ path, headers, withinMs, ticket }: Post): Promise<HttpResponse> {
    const connection = this.#idle.pop() ?? this.#open()
    if (this.#warmTarget > 0 && this.#idle.length === 0 && this.#opening === 0) this.#openAhead()
    const receiver = new Receiver(ticket, withinMs, () => this.#release(connection))
    connection.client.dispatch({ method: 'POST', path, headers }, receiver)
    return receiver.response
  }

  async close(): Promise<void> {
    const clients = [...this.#all]
    this.#all.clear()
    await Promise.all(clients.map((client) => client.destroy()))
  }

  #open(): Connection {
    const { origin, maxResponseBytes } = this.#options
    const client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      connect: this.#connect,
      // Disabled: the receiver has its own deadline, and these would add a timer per call.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxResponseSize: maxResponseBytes,
    })
    const connection = { client, sinceMs: performance.now(), isOpen: false }
    this.#all.add(client)
    client.on('connect', () => (connection.isOpen = true))
    client.on('disconnect', () => {
      connection.isOpen = false
      if (this.#idle.includes(connection)) this.#drop(connection)
    })
    return connection
  }

  #openAhead(): void {
    const connection = this.#open()
    this.#opening += 1
    connection.client.dispatch(
      { method: 'GET', path: '/' },
      {
        onRequestStart: () => {
          throw OPENED
        },
        onResponseStart: NEVER,
        onResponseData: NEVER,
        onResponseEnd: NEVER,
        onResponseError: (_, error) => {
          this.#opening -= 1
          if (error === OPENED) this.#idle.unshift(connection)
          else this.#drop(connection)
        },
      },
    )
  }

  #release(connection: Connection): void {
    const isYoung = performance.now() - connection.sinceMs < this.#options.maxAgeMs
    if (connection.isOpen && isYoung) this.#idle.push(connection)
    else this.#drop(connection)
  }

  #drop(connection: Connection): void {
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (this.#all.delete(connection.client)) void connection.client.close()
  }
}

/** Collects one response. undici calls either `onResponseEnd` or `onResponseError`, once. */
class Receiver implements Dispatcher.DispatchHandler {
  readonly #ticket: Post['ticket']
  readonly #onDone: () => void
  readonly #timer: NodeJS.Timeout
  readonly #response = Promise.withResolvers<HttpResponse>()
  #controller: Dispatcher.DispatchController | null = null
  #expired = false
  #status: number | null = null
  #headers: Dispatcher.ResponseData['headers'] = {}
  #chunks: Buffer[] = []

  /** `onDone` is called when the connection is free again. */
  constructor(ticket: Post['ticket'], deadlineMs: number, onDone: () => void) {
    this.#ticket = ticket
    this.#onDone = onDone
    this.#timer = setTimeout(() => this.#expire(), deadlineMs)
  }

  get response(): Promise<HttpResponse> {
    return this.#response.promise
  }

  /** If this throws, undici writes nothing, keeps the connection, and reports the error as the request's. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#expired) throw DEADLINE_PASSED
    if (this.#ticket?.confirm() === false) throw NOT_STARTED
    this.#controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: HttpResponse['headers']): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer)
    const [first] = this.#chunks
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    this.#onDone()
    this.#response.resolve({
      status: this.#status ?? 0,
      headers: this.#headers,
      text: body.toString('utf8'),
    })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#timer)
    this.#onDone()
    this.#response.reject(new HttpRequestError(error, this.#status))
  }

  #expire(): void {
    this.#expired = true
    this.#controller?.abort(DEADLINE_PASSED)
  }
}
