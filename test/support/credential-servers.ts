/**
 * Stand-ins for the services that issue credentials (STS, instance metadata, a credentials URI), each on a real
 * loopback server.
 */
import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { KeyPair } from './certificates.ts'

export interface Keys {
  readonly AccessKeyId: string
  readonly AccessKeySecret: string
  readonly SecurityToken: string
  readonly Expiration: string
}

export interface CredentialServer {
  readonly port: number
  /** Number of requests, including failed ones. */
  readonly requests: number
  /** Method, path and body of each request. */
  readonly seen: readonly string[]
  /** Answers with an error that contains a secret, as real services do. */
  down: boolean
  close(): Promise<void>
}

export type Shape = (keys: Keys) => unknown

export const STS: Shape = (keys) => ({ RequestId: 'r', Credentials: keys })
export const PLAIN: Shape = (keys) => ({ Code: 'Success', ...keys })

export interface CredentialServerOptions {
  readonly shape: Shape
  readonly keys: () => Keys
  /** Uses TLS if present. */
  readonly certificate?: KeyPair
}

export async function startCredentialServer(options: CredentialServerOptions): Promise<CredentialServer> {
  const seen: string[] = []
  const state = { requests: 0, down: false }
  const listener: RequestListener = (request, response) => void answer(request, response)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The library pools connections by host name, but the next test has another server with the same name.
    response.setHeader('connection', 'close')
    seen.push(`${request.method} ${request.url} ${await text(request)}`)
    // The instance metadata service requires a token, first requested with PUT and then sent as a header.
    if (request.method === 'PUT') return void response.end('metadata-token')
    state.requests += 1
    const keys = options.keys()
    if (state.down) response.writeHead(500).end(JSON.stringify({ Code: 'InternalError', Message: keys }))
    else response.end(JSON.stringify(options.shape(keys)))
  }

  const { certificate } = options
  const server =
    certificate === undefined ? http.createServer(listener) : https.createServer(certificate, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    get requests() {
      return state.requests
    },
    get down() {
      return state.down
    },
    set down(down: boolean) {
      state.down = down
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
