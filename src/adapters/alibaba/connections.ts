/**
 * Keep-alive connections to one origin, the one used last first, so that surplus ones fall idle and are closed. Opened
 * ahead when told, and one more whenever the last idle one is taken: a call that has its permit should not wait for a
 * handshake. Not undici's Pool: it looks for a free connection one by one, which at 256 of them took a sixth of the service's
 * whole time. Rejects with {@link HttpRequestError}: its cause is undici's error, or {@link DEADLINE_PASSED}.
 */
import type { buildConnector as BuildConnector, Dispatcher } from 'undici'
import buildConnector from 'undici/lib/core/connect.js'
import Client from 'undici/lib/dispatcher/client.js'
import type { CallTicket } from '../../ports.ts'

export interface ConnectionsOptions {
  readonly origin: string
  readonly connectTimeoutMs: number
  /** A connection is renewed after this, so that a change of the origin's address is noticed. */
  readonly maxAgeMs: number
  readonly maxResponseBytes: number
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly text: string
}

/** Also tells the status, when the answer had begun. */
export class HttpRequestError extends Error {
  readonly status: number | null

  constructor(cause: unknown, status: number | null) {
    super('The exchange failed.', { cause })
    this.status = status
  }
}

export interface Post {
  readonly path: string
  readonly headers: Record<string, string>
  readonly withinMs: number
  readonly ticket: CallTicket
}

export const NOT_STARTED = new Error('The exchange was not to start any more.')
export const DEADLINE_PASSED = new Error('The exchange took too long.')

interface Connection {
  readonly client: Client
  readonly sinceMs: number
  isOpen: boolean
}

/** Unless the peer says otherwise. */
const KEEP_ALIVE_MS = 30_000
/** Ends a request that was only to open its connection, before anything of it is written. */
const OPENED = new Error('The connection is open.')
/** Asked for by undici. */
const NEVER = (): void => undefined

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #all = new Set<Client>()
  /** Open, all of them. */
  readonly #idle: Connection[] = []
  readonly #connect: BuildConnector.connector
  #opening = 0
  #warmTarget = 0

  constructor(options: ConnectionsOptions) {
    this.#options = options
    // One for all, so that the next handshake resumes the session of the last.
    this.#connect = buildConnector({ timeout: options.connectTimeoutMs, allowH2: false })
  }

  /** Sees to it that so many are idle. What cannot be opened is left to the next call to find out. */
  warm(count: number): void {
    this.#warmTarget = count
    for (let missing = count - this.#idle.length - this.#opening; missing > 0; missing -= 1) this.#openAhead()
  }

  /**
   * As many at once as the caller starts: the bound on calls in flight is the bound on connections. The whole exchange,
   * from the first byte sent to the last received, has `withinMs`. Rejects with {@link NOT_STARTED} as the cause when
   * `ticket`, confirmed right before the first byte is written, does not allow it.
   */
  post({ path, headers, withinMs, ticket }: Post): Promise<HttpResponse> {
    const connection = this.#idle.pop() ?? this.#open()
    if (this.#warmTarget > 0 && this.#idle.length === 0 && this.#opening === 0) this.#openAhead()
    return new Promise((resolve, reject) => {
      const receiver = new Receiver(withinMs, {
        ticket,
        resolve,
        reject,
        done: () => this.#release(connection),
      })
      connection.client.dispatch({ method: 'POST', path, headers }, receiver)
    })
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
      // None: the deadline is the receiver's, and these would be one more timer for each call.
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

interface RequestCallbacks {
  readonly ticket: CallTicket
  readonly resolve: (response: HttpResponse) => void
  readonly reject: (error: HttpRequestError) => void
  readonly done: () => void
}

/** Gathers one answer. undici calls `onResponseEnd` or `onResponseError`, once. */
class Receiver implements Dispatcher.DispatchHandler {
  readonly #callbacks: RequestCallbacks
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | null = null
  #expired = false
  #status: number | null = null
  #headers: Dispatcher.ResponseData['headers'] = {}
  #chunks: Buffer[] = []

  constructor(deadlineMs: number, callbacks: RequestCallbacks) {
    this.#callbacks = callbacks
    this.#timer = setTimeout(() => this.#expire(), deadlineMs)
  }

  /** What it throws becomes the request's error: nothing of it is written, and the connection stays. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#expired) throw DEADLINE_PASSED
    if (!this.#callbacks.ticket.confirm()) throw NOT_STARTED
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
    this.#callbacks.done()
    this.#callbacks.resolve({
      status: this.#status ?? 0,
      headers: this.#headers,
      text: body.toString('utf8'),
    })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#timer)
    this.#callbacks.done()
    this.#callbacks.reject(new HttpRequestError(error, this.#status))
  }

  #expire(): void {
    this.#expired = true
    this.#controller?.abort(DEADLINE_PASSED)
  }
}
