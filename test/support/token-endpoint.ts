/** An OAuth token endpoint on a loopback port that returns signed tokens for client credentials. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, exportJWK, generateKeyPair, type CryptoKey } from 'jose'

export interface TokenEndpoint {
  readonly url: string
  /** A JSON Web Key Set. */
  readonly publicKeys: string
  /** Number of issued tokens. */
  readonly count: () => number
  /** Another token, to be written to a file. */
  readonly token: () => Promise<string>
  /** The answer to send instead of a token from now on. Null restores tokens. */
  answerWith(answer: EndpointAnswer | null): void
  lifetimeS: number
  /** Credentials of the client. */
  secret: string
  close(): Promise<void>
}

export interface EndpointAnswer {
  readonly status: number
  readonly body: string
}

export const CLIENT = { id: 'checkresult-client', secret: 'sesame-of-the-client+/=' } as const

const KEY_ID = 'test'
/** Generating a key is slow, so all endpoints share one. */
let keyPair: ReturnType<typeof generateKeyPair> | undefined

export async function startTokenEndpoint(): Promise<TokenEndpoint> {
  keyPair ??= generateKeyPair('RS256')
  const { publicKey, privateKey } = await keyPair
  let instead: EndpointAnswer | null = null
  let count = 0
  const server = createServer((request, response) => {
    const refusal = instead ?? refusalOf(request, endpoint.secret)
    request.resume()
    if (refusal === null) {
      count += 1
      void endpoint.token().then((token) => answer(response, { status: 200, body: granted(token, endpoint) }))
    } else {
      answer(response, refusal)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint: TokenEndpoint = {
    lifetimeS: 3_600,
    secret: CLIENT.secret,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    publicKeys: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'RS256' }] }),
    count: () => count,
    token: () => sign(privateKey, endpoint.lifetimeS),
    answerWith: (other) => {
      instead = other
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return endpoint
}

function granted(token: string, { lifetimeS }: TokenEndpoint): string {
  return JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: lifetimeS })
}

function refusalOf({ headers }: IncomingMessage, expected: string): EndpointAnswer | null {
  const [, given = ''] = (headers.authorization ?? '').split(' ')
  const [id, secret] = Buffer.from(given, 'base64').toString().split(':').map(decodeURIComponent)
  return id === CLIENT.id && secret === expected
    ? null
    : { status: 401, body: '{"error":"invalid_client","error_description":"No such client here."}' }
}

function answer(response: ServerResponse, { status, body }: EndpointAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body)
}

function sign(key: CryptoKey, lifetimeS: number): Promise<string> {
  const nowS = Math.floor(Date.now() / 1_000)
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: KEY_ID })
    .setSubject(CLIENT.id)
    .setAudience('kafka')
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + lifetimeS)
    .sign(key)
}
