import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createRegistry, type Lookup } from '../../../../src/adapters/registry/registry.ts'
import { schemaJson } from '../../../../src/adapters/registry/schemas.ts'
import { fakeMetrics } from '../../../support/fakes.ts'

const SCHEMA = schemaJson('verification-completed')
const SHORT_MS = 100
const JSON_TYPE = { 'content-type': 'application/vnd.schemaregistry.v1+json' }

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function registryAt(url: string, timeoutMs?: number) {
  const metrics = fakeMetrics()
  const limit = timeoutMs === undefined ? {} : { timeoutMs }
  const registry = createRegistry({ url, auth: null, clientId: 'test', ...limit }, metrics)
  const lookUps = () => [
    registry.schemaById(7).then(kindOf),
    registry.idBySchema('subject', SCHEMA).then(kindOf),
  ]
  return { registry, metrics, both: async () => Promise.all(lookUps()) }
}

function kindOf({ kind }: Lookup<unknown>): string {
  return kind
}

function saying(status: number, body: unknown): RequestListener {
  return (_, response) => void response.writeHead(status, JSON_TYPE).end(JSON.stringify(body))
}

function page(status: number): RequestListener {
  return (_, response) =>
    void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>A page of a proxy</html>')
}

describe('the registry', () => {
  test('gives a schema by its id, and the id of a schema', async () => {
    const { registry, metrics } = registryAt(
      await serve((request, response) =>
        saying(200, request.method === 'GET' ? { schema: SCHEMA } : { id: 5 })(request, response),
      ),
    )
    expect(await registry.schemaById(7)).toMatchObject({
      kind: 'found',
      value: { name: expect.stringMatching(/VerificationCompleted$/) },
    })
    expect(await registry.idBySchema('subject', SCHEMA)).toEqual({ kind: 'found', value: 5 })
    expect(metrics.of('registryRequest')).toEqual([
      ['schema-by-id', 'ok'],
      ['id-by-schema', 'ok'],
    ])
  })

  test('knows something not to be there only when it says so itself', async () => {
    const { both, metrics } = registryAt(
      await serve(saying(404, { error_code: 40403, message: 'Schema not found' })),
    )
    expect(await both()).toEqual(['not-found', 'not-found'])
    expect(metrics.of('registryRequest').map(([, outcome]) => outcome)).toEqual(['not-found', 'not-found'])
  })

  test('holding something under the id that is no Avro is as good as without it', async () => {
    const { registry } = registryAt(
      await serve(saying(200, { schemaType: 'AVRO', schema: '{"type":"nonsense"}' })),
    )
    expect(await registry.schemaById(7)).toEqual({ kind: 'not-found' })
  })

  test.each([401, 403])('may refuse us with %i', async (status) => {
    const { both, metrics } = registryAt(await serve(saying(status, { error_code: status })))
    expect(await both()).toEqual(['refused', 'refused'])
    expect(metrics.of('registryRequest').map(([, outcome]) => outcome)).toEqual(['failed', 'failed'])
  })

  test.each<[string, RequestListener]>([
    ['a login page with 200', page(200)],
    ['an ingress without a backend, with 404', page(404)],
    ['JSON of something else with 404', saying(404, { message: 'no Route matched' })],
    ['JSON of something else with 200', saying(200, { status: 'UP' })],
    ['a gateway with 502', page(502)],
    ['its own error with 500', saying(500, { error_code: 50001 })],
    ['too many requests', saying(429, { error_code: 42901 })],
    ['half a connection', ({ socket }) => socket.resetAndDestroy()],
  ])('is away, and nothing is final, when there answers %s', async (_, answer) => {
    const { registry } = registryAt(await serve(answer))
    expect(await registry.schemaById(7)).toEqual({ kind: 'failed' })
  })

  test('is away when nobody listens', async () => {
    expect(await registryAt('http://127.0.0.1:1').both()).toEqual(['failed', 'failed'])
  })

  test('that accepts and never answers is given up on after its time', async () => {
    const silent = createTcpServer((socket) => void socket.on('error', () => undefined))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const startedMs = performance.now()
    const { both } = registryAt(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, SHORT_MS)
    expect(await both()).toEqual(['failed', 'failed'])
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(SHORT_MS - 1)
  })

  test('is asked anew each time: what is remembered is bounded elsewhere', async () => {
    let requests = 0
    const { registry } = registryAt(
      await serve((request, response) => {
        requests += 1
        saying(200, { schema: SCHEMA })(request, response)
      }),
    )
    await registry.schemaById(7)
    await registry.schemaById(7)
    expect(requests).toBe(2)
  })
})
