import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createRegistry } from '../../../../src/adapters/registry/registry.ts'
import { schemaJson } from '../../../../src/adapters/registry/schemas.ts'
import { fakeMetrics } from '../../../support/fakes.ts'
import { NOT_REGISTRIES, page, saying, serve } from '../../../support/http-server.ts'

const SCHEMA = schemaJson('verification-completed')
const SHORT_MS = 100

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

function kindOf({ kind }: { readonly kind: string }): string {
  return kind
}

function record(name: string, ...types: string[]): string {
  return JSON.stringify({ type: 'record', name, fields: types.map((type) => ({ name: `of${type}`, type })) })
}

function reference(subject: string) {
  return { name: subject, subject, version: 2 }
}

describe('the schema registry client', () => {
  test('returns a schema by id and the id of a schema', async () => {
    const { registry, metrics } = registryAt(
      await serve((request, response) =>
        saying(200, request.method === 'GET' ? { schema: SCHEMA } : { id: 5 })(request, response),
      ),
    )
    expect(await registry.schemaById(7)).toMatchObject({
      kind: 'found',
      value: { schemaType: 'AVRO', schema: SCHEMA, referenced: [] },
    })
    expect(await registry.idBySchema('subject', SCHEMA)).toEqual({ kind: 'found', value: 5 })
    expect(metrics.of('registryRequest')).toEqual([
      ['schema-by-id', 'ok'],
      ['id-by-schema', 'ok'],
    ])
  })

  test('returns a schema with its references and requests each once', async () => {
    const schemas: Record<string, object> = {
      '/schemas/ids/7': {
        schema: record('Event', 'Person', 'Place'),
        references: [reference('Person'), reference('Place')],
      },
      '/subjects/Person/versions/2': { schema: record('Person', 'Place'), references: [reference('Place')] },
      '/subjects/Place/versions/2': { schema: record('Place', 'string') },
    }
    const asked: string[] = []
    const { registry } = registryAt(
      await serve((request, response) => {
        asked.push(request.url ?? '')
        saying(200, schemas[request.url ?? ''] ?? {})(request, response)
      }),
    )
    const found = await registry.schemaById(7)
    const referenced = [record('Place', 'string'), record('Person', 'Place')]
    expect(found).toMatchObject({ kind: 'found', value: { referenced } })
    expect(asked).toEqual(Object.keys(schemas))
  })

  test('returns the missing reference of a schema', async () => {
    const references = [reference('Person')]
    const { registry } = registryAt(
      await serve((request, response) =>
        request.url === '/schemas/ids/7'
          ? saying(200, { schema: SCHEMA, references })(request, response)
          : saying(404, { error_code: 40402, message: 'Version not found' })(request, response),
      ),
    )
    expect(await registry.schemaById(7)).toEqual({
      kind: 'not-found',
      missing: { subject: 'Person', version: 2 },
    })
  })

  test('reports the registry as unavailable if another server responds for a reference', async () => {
    const references = [reference('Person')]
    const { registry } = registryAt(
      await serve((request, response) =>
        request.url === '/schemas/ids/7'
          ? saying(200, { schema: SCHEMA, references })(request, response)
          : page(404)(request, response),
      ),
    )
    expect(await registry.schemaById(7)).toEqual({ kind: 'failed', status: 404 })
  })

  test.each([200, 404, 500])(
    'reports the registry as unavailable if it responds %i with a JSON null',
    async (status) => {
      const { registry } = registryAt(await serve(saying(status, null)))
      expect(await registry.schemaById(7)).toEqual({ kind: 'failed', status })
      expect((await registry.idBySchema('subject', SCHEMA)).kind).not.toBe('found')
    },
  )

  test('reports "not found" only if the registry says so itself', async () => {
    const { both, metrics } = registryAt(
      await serve(saying(404, { error_code: 40403, message: 'Schema not found' })),
    )
    expect(await both()).toEqual(['not-found', 'not-found'])
    expect(metrics.of('registryRequest').map(([, outcome]) => outcome)).toEqual(['not-found', 'not-found'])
  })

  test.each([
    ['Avro that cannot be parsed', { schemaType: 'AVRO', schema: '{"type":"nonsense"}' }],
    ['JSON Schema', { schemaType: 'JSON', schema: '{"type":"string"}' }],
    ['Protobuf', { schemaType: 'PROTOBUF', schema: 'message Event {}' }],
  ])('returns a schema as it is stored: %s', async (_, stored) => {
    const { registry } = registryAt(await serve(saying(200, stored)))
    expect(await registry.schemaById(7)).toEqual({ kind: 'found', value: { ...stored, referenced: [] } })
  })

  test.each([401, 403])('reports that access was denied with %i', async (status) => {
    const { both, metrics } = registryAt(await serve(saying(status, { error_code: status })))
    expect(await both()).toEqual(['refused', 'refused'])
    expect(metrics.of('registryRequest').map(([, outcome]) => outcome)).toEqual(['failed', 'failed'])
  })

  test.each(NOT_REGISTRIES)(
    'reports a server that is not a registry: %s, HTTP %i',
    async (_, status, answer) => {
      const { both, registry } = registryAt(await serve(answer))
      expect(await both()).toEqual(['failed', 'not-a-registry'])
      expect(await registry.idBySchema('subject', SCHEMA)).toEqual({ kind: 'not-a-registry', status })
    },
  )

  test.each<[string, RequestListener]>([
    ['a gateway with 502', page(502)],
    ['its own error with 500', saying(500, { error_code: 50001 })],
    ['too many requests', saying(429, { error_code: 42901 })],
    ['half a connection', ({ socket }) => socket.resetAndDestroy()],
  ])('reports the registry as unavailable, and nothing as final, for %s', async (_, answer) => {
    expect(await registryAt(await serve(answer)).both()).toEqual(['failed', 'failed'])
  })

  test('reports the registry as unavailable if it returns an id instead of a schema', async () => {
    const { registry } = registryAt(await serve(saying(200, { id: 7 })))
    expect(await registry.schemaById(7)).toEqual({ kind: 'failed', status: 200 })
  })

  test('reports a version as missing if the registry has only another one', async () => {
    const { registry } = registryAt(
      await serve((request, response) =>
        request.method === 'GET'
          ? saying(200, { id: 4, schema: SCHEMA })(request, response)
          : saying(404, { error_code: 40403 })(request, response),
      ),
    )
    expect(await registry.idBySchema('subject', SCHEMA)).toEqual({ kind: 'not-found', missing: null })
  })

  test('reports the registry as unavailable if nothing listens', async () => {
    expect(await registryAt('http://127.0.0.1:1').both()).toEqual(['failed', 'failed'])
  })

  test('gives up on a registry that does not respond after the timeout', async () => {
    const silent = createTcpServer((socket) => void socket.on('error', () => undefined))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const startedMs = performance.now()
    const { both } = registryAt(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, SHORT_MS)
    expect(await both()).toEqual(['failed', 'failed'])
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(SHORT_MS - 1)
  })

  test('sends a request each time, because results are cached elsewhere', async () => {
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
