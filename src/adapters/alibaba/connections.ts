/**
 * Keep-alive connections to one origin, the one used last first, so that surplus ones fall idle and are closed by the
 * peer. Not undici's Pool: it looks for a free connection one by one, which at 256 of them took a sixth of the service's
 * whole time. Rejects with undici's errors; `DeadlineError` when the whole took too long.
 */
import { Client, type Dispatcher } from 'undici'

export interface ConnectionsOptions {
  readonly origin: string
  readonly connectTimeoutMs: number
  /** No exchange is given more than this. */
  readonly longestMs: number
  /** A connection is renewed after this, so that a change of the origin's address is noticed. */
  readonly lifeMs: number
  readonly maxResponseBytes: number
}

export interface Exchange {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly text: string
}

/** Also tells the status, when the answer had begun. */
export class ExchangeError extends Error {
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
  readonly starts: () => boolean
}

export const NOT_STARTED = new Error('The exchange was not to start any more.')
export const DEADLINE_PASSED = new Error('The exchange took too long.')

interface Connection {
  readonly client: Client
  readonly sinceMs: number
}

const KEEP_ALIVE_MS = 10_000

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #all = new Set<Client>()
  readonly #idle: Connection[] = []

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /**
   * As many at once as the caller starts: the bound on calls in flight is the bound on connections. The whole exchange,
   * from the first byte sent to the last received, has `withinMs`. Rejects with {@link NOT_STARTED} as the cause when
   * `starts`, asked right before the first byte is written, says no.
   */
  post({ path, headers, withinMs, starts }: Post): Promise<Exchange> {
    const connection = this.#idle.pop() ?? this.#open()
    return new Promise((resolve, reject) => {
      const receiver = new Receiver(withinMs, {
        starts,
        resolve,
        reject,
        done: () => this.#release(connection),
      })
      connection.client.dispatch({ method: 'POST', path, headers }, receiver)
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((client) => client.destroy()))
  }

  #open(): Connection {
    const { origin, connectTimeoutMs, longestMs, maxResponseBytes } = this.#options
    const client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      connect: { timeout: connectTimeoutMs },
      // The deadline is the receiver's; these would only fire late.
      headersTimeout: longestMs * 2,
      bodyTimeout: longestMs * 2,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxResponseSize: maxResponseBytes,
    })
    this.#all.add(client)
    return { client, sinceMs: performance.now() }
  }

  #release(connection: Connection): void {
    if (performance.now() - connection.sinceMs < this.#options.lifeMs) {
      this.#idle.push(connection)
      return
    }
    this.#all.delete(connection.client)
    void connection.client.close()
  }
}

interface Settling {
  readonly starts: () => boolean
  readonly resolve: (exchange: Exchange) => void
  readonly reject: (error: ExchangeError) => void
  readonly done: () => void
}

/** Gathers one answer. undici calls `onResponseEnd` or `onResponseError`, once. */
class Receiver implements Dispatcher.DispatchHandler {
  readonly #settling: Settling
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | null = null
  #expired = false
  #status: number | null = null
  #headers: Dispatcher.ResponseData['headers'] = {}
  #chunks: Buffer[] = []

  constructor(deadlineMs: number, settling: Settling) {
    this.#settling = settling
    this.#timer = setTimeout(() => this.#expire(), deadlineMs)
  }

  /** What it throws becomes the request's error: nothing of it is written, and the connection stays. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#expired) throw DEADLINE_PASSED
    if (!this.#settling.starts()) throw NOT_STARTED
    this.#controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Exchange['headers']): void {
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
    this.#settling.done()
    this.#settling.resolve({ status: this.#status ?? 0, headers: this.#headers, text: body.toString('utf8') })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#timer)
    this.#settling.done()
    this.#settling.reject(new ExchangeError(error, this.#status))
  }

  #expire(): void {
    this.#expired = true
    this.#controller?.abort(DEADLINE_PASSED)
  }
}
