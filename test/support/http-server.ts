/** HTTP servers that stand in for a registry, or for other servers at its address. They are closed after the test. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Resolves with the server's address. */
export async function serve(answer: RequestListener, whenFinished = onTestFinished): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  whenFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function saying(status: number, body: unknown): RequestListener {
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
  return (_, response) => void response.writeHead(status, headers).end(JSON.stringify(body))
}

export function page(status: number): RequestListener {
  return (_, response) =>
    void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>A page of a proxy</html>')
}

/** Servers that could be at the registry's address by mistake: description, status and answer. */
export const NOT_REGISTRIES: readonly (readonly [what: string, status: number, answer: RequestListener])[] = [
  ['a page of an ingress without a backend', 404, page(404)],
  [
    'plain text',
    404,
    (_, response) => void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found'),
  ],
  [
    'a registry without the path of its API',
    404,
    saying(404, { detail: 'NotFoundException', title: 'Could not find resource', status: 404 }),
  ],
  ['a login page', 200, page(200)],
  ['an empty answer', 200, (_, response) => void response.writeHead(200).end()],
  ['JSON that is not an object', 200, saying(200, 'ok')],
  ['JSON of another service', 200, saying(200, { status: 'UP' })],
  ['a page for another method', 405, page(405)],
  [
    'a redirect to a login page',
    302,
    ({ url = '' }, response) =>
      url.startsWith('/login')
        ? void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>')
        : void response.writeHead(302, { location: '/login' }).end(),
  ],
]
