/** Stand-ins for what hands out keys (STS, the instance's metadata, a local address), each on a real loopback server. */
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
  /** Exchanges asked for, those that failed included. */
  readonly requests: number
  /** Bodies of the requests, and their paths. */
  readonly seen: readonly string[]
  /** Fails with an answer that holds a secret, as real ones do. */
  down: boolean
  close(): Promise<void>
}

export type Shape = (keys: Keys) => unknown

export const STS: Shape = (keys) => ({ RequestId: 'r', Credentials: keys })
export const PLAIN: Shape = (keys) => ({ Code: 'Success', ...keys })

export interface CredentialServerOptions {
  readonly shape: Shape
  readonly keys: () => Keys
  /** TLS where there is one. */
  readonly certificate?: KeyPair
}

export async function startCredentialServer(options: CredentialServerOptions): Promise<CredentialServer> {
  const seen: string[] = []
  const state = { requests: 0, down: false }
  const listener: RequestListener = (request, response) => void answer(request, response)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The library keeps connections for the next server of the same name, which is another one here.
    response.setHeader('connection', 'close')
    seen.push(`${request.method} ${request.url} ${await text(request)}`)
    // What the instance's metadata service wants first, from then on a header.
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
