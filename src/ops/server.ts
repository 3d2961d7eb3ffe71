/**
 * The HTTP server for probes, Prometheus and people: `/livez`, `/readyz`, `/metrics` and a status page at `/`. Plain
 * text, GET and HEAD only, one request per connection. It survives every request and every exception of a callback;
 * only its start can fail.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OperatorError } from '../core/safe-error.ts'
import { createServer } from '../node-http.ts'
import { statusPage, type Status } from './status-page.ts'

export interface HealthCheck {
  readonly ok: boolean
  /** Messages that name each problem; the response contains them if the check fails. */
  readonly reasons: readonly string[]
}

export interface OpsOptions {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly health: { live(): HealthCheck; ready(): HealthCheck }
  readonly exposition: () => Promise<{ readonly contentType: string; readonly body: string }>
  readonly status: () => Status
}

export interface Ops {
  /** The address it listens on, for a log line and for tests: `http://host:port`. */
  readonly address: string
  /** Waits briefly for responses in progress. Never rejects. */
  close(): Promise<void>
}

/** Enough for probes and scrapers. */
const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
} as const
const MAX_CONNECTIONS = 64
const CLOSE_WITHIN_MS = 500

const TEXT = 'text/plain; charset=utf-8'

interface Answer {
  readonly status: number
  readonly body: string
  readonly contentType?: string
}

/** Rejects with an {@link OperatorError} if the server cannot listen on the address. */
export async function startOps(options: OpsOptions): Promise<Ops> {
  const server = createServer(LIMITS, (request, response) => void respond(request, response, options))
  server.maxConnections = MAX_CONNECTIONS
  await listen(server, options)
  return { address: addressOf(server), close: () => close(server) }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: OpsOptions,
): Promise<void> {
  const answer = await answerTo(request, options)
  response.writeHead(answer.status, {
    'content-type': answer.contentType ?? TEXT,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // A client that keeps its connection open would delay the shutdown.
    connection: 'close',
    ...(answer.status === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  // Node omits the body for HEAD.
  response.end(answer.body)
}

async function answerTo({ method, url = '/' }: IncomingMessage, options: OpsOptions): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'Use GET or HEAD.\n' }
  try {
    return await page(url.replace(/\?.*$/s, ''), options)
  } catch {
    // The error's text could contain anything, and the client cannot act on it.
    return { status: 500, body: 'This page could not be created.\n' }
  }
}

async function page(path: string, { health, exposition, status }: OpsOptions): Promise<Answer> {
  switch (path) {
    case '/livez':
      return healthAnswer(health.live())
    case '/readyz':
      return healthAnswer(health.ready())
    case '/metrics':
      return { status: 200, ...(await exposition()) }
    case '/':
      return { status: 200, body: statusPage(status()) }
    default:
      return { status: 404, body: 'Pages: / /livez /readyz /metrics\n' }
  }
}

function healthAnswer({ ok, reasons }: HealthCheck): Answer {
  return ok
    ? { status: 200, body: ['ok', ...reasons, ''].join('\n') }
    : { status: 503, body: `${reasons.join('\n')}\n` }
}

function listen(server: Server, { host, port }: OpsOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new OperatorError(explained(error.code, host, port))),
    )
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      // After the start, an error concerns a single connection that could not be accepted. Its client retries.
      server.on('error', () => undefined)
      resolve()
    })
  })
}

function explained(code: string | undefined, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use by another process, for example a second replica on this host or one that is still stopping. Stop it, or set OPS_PORT to a free port. The service did not start.`
    case 'EACCES':
      return `The service has no permission to listen on port ${port} of ${host}. Set OPS_PORT to a port above 1023. The service did not start.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `OPS_HOST is ${host}, which is not an address of this machine. Set it to one that is, for example 0.0.0.0. The service did not start.`
    case 'EAFNOSUPPORT':
      return `OPS_HOST is ${host}, but this machine does not support IPv6. Set it to an IPv4 address, for example 0.0.0.0. The service did not start.`
    default:
      return `Cannot listen on port ${port} of ${host} (${code ?? 'unknown'}). Check OPS_HOST and OPS_PORT. The service did not start.`
  }
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}
