/** An OAuth token endpoint on a loopback port: client credentials in, signed tokens out, for as long as it is up. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, exportJWK, generateKeyPair, type CryptoKey } from 'jose'

export interface TokenEndpoint {
  readonly url: string
  /** A JSON Web Key Set. */
  readonly publicKeys: string
  /** Tokens given out so far. */
  readonly count: () => number
  readonly token: (options?: TokenOptions) => Promise<string>
  /** What is answered instead of a token from now on; null ends it. */
  answerWith(answer: EndpointAnswer | null): void
  lifetimeS: number
  close(): Promise<void>
}

export interface TokenOptions {
  readonly subject?: string
  readonly lifetimeS?: number
}

export interface EndpointAnswer {
  readonly status: number
  readonly body: string
}

export const CLIENT = { id: 'checkresult-client', secret: 'sesame-of-the-client+/=' } as const

const KEY_ID = 'test'

export async function startTokenEndpoint(): Promise<TokenEndpoint> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const state = { count: 0, answer: null as EndpointAnswer | null, lifetimeS: 3_600 }
  const token: TokenEndpoint['token'] = ({ subject = CLIENT.id, lifetimeS = state.lifetimeS } = {}) =>
    sign(privateKey, subject, lifetimeS)
  const server = createServer((request, response) => {
    const refusal = state.answer ?? refusalOf(request)
    request.resume()
    if (refusal !== null) {
      answer(response, refusal)
      return
    }
    state.count += 1
    void token().then((text) => {
      const body = { access_token: text, token_type: 'Bearer', expires_in: state.lifetimeS }
      answer(response, { status: 200, body: JSON.stringify(body) })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    publicKeys: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'RS256' }] }),
    count: () => state.count,
    token,
    answerWith: (instead) => {
      state.answer = instead
    },
    get lifetimeS() {
      return state.lifetimeS
    },
    set lifetimeS(seconds) {
      state.lifetimeS = seconds
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function refusalOf({ headers }: IncomingMessage): EndpointAnswer | null {
  const [, given = ''] = (headers.authorization ?? '').split(' ')
  const [id, secret] = Buffer.from(given, 'base64').toString().split(':').map(decodeURIComponent)
  return id === CLIENT.id && secret === CLIENT.secret
    ? null
    : { status: 401, body: '{"error":"invalid_client","error_description":"No such client here."}' }
}

function answer(response: ServerResponse, { status, body }: EndpointAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body)
}

function sign(key: CryptoKey, subject: string, lifetimeS: number): Promise<string> {
  const nowS = Math.floor(Date.now() / 1_000)
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: KEY_ID })
    .setSubject(subject)
    .setAudience('kafka')
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + lifetimeS)
    .sign(key)
}
