import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { registerSchemas, type Registration } from '../../../../src/adapters/registry/register.ts'
import { schemaJson } from '../../../../src/adapters/registry/schemas.ts'
import { NOT_REGISTRIES, page, saying, serve } from '../../../support/http-server.ts'

const TOPICS = { 'verification-completed': 'in', 'verification-result': 'out' } as const

function register(url: string): Promise<Registration[]> {
  return registerSchemas({ url, auth: null, clientId: 'test', timeoutMs: 2_000 }, TOPICS)
}

interface Subject {
  level: string | null
  readonly versions: Record<number, string>
  /** The registry's description of a version. */
  readonly incompatible?: Readonly<Record<number, readonly string[]>>
}

/** The registry endpoints that registration uses. `asked` has the changes that it was asked to make. */
async function startRegistry(
  subjects: Record<string, Subject>,
  { keepsLevelOfNew = true }: { keepsLevelOfNew?: boolean } = {},
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const routes: readonly [RegExp, (subject: Subject, version: number, body: Body) => RequestListener][] = [
    [
      /^GET \/config\/(\S+)-value$/,
      ({ level }) => (level === null ? NOT_FOUND : saying(200, { compatibilityLevel: level })),
    ],
    [
      /^PUT \/config\/(\S+)-value$/,
      (subject, _, { compatibility = '' }) => {
        if (!keepsLevelOfNew && Object.keys(subject.versions).length === 0) return NOT_FOUND
        subject.level = compatibility
        return saying(200, { compatibility })
      },
    ],
    [
      /^GET \/subjects\/(\S+)-value\/versions$/,
      ({ versions }) => {
        const all = Object.keys(versions).map(Number)
        return all.length === 0 ? NOT_FOUND : saying(200, all)
      },
    ],
    [
      /^POST \/compatibility\/subjects\/(\S+)-value\/versions\/(\d+)\?verbose=true$/,
      ({ incompatible = {} }, version) => {
        const messages = incompatible[version]
        return saying(200, {
          is_compatible: messages === undefined,
          ...(messages?.length ? { messages } : {}),
        })
      },
    ],
    [
      /^POST \/subjects\/(\S+)-value$/,
      ({ versions }, _, { schema = '' }) =>
        Object.values(versions).includes(schema) ? saying(200, { id: 7 }) : NOT_FOUND,
    ],
    [
      /^GET \/subjects\/(\S+)-value\/versions\/(\d+)$/,
      ({ versions }, version) => saying(200, { schema: versions[version] }),
    ],
    [
      /^POST \/subjects\/(\S+)-value\/versions$/,
      (subject, _, { schema = '' }) => {
        subject.versions[Object.keys(subject.versions).length + 1] = schema
        return saying(200, { id: 7 })
      },
    ],
  ]
  const url = await serve((request, response) => {
    void (async () => {
      const line = `${request.method} ${request.url}`
      asked.push(line)
      const body = JSON.parse((await text(request)) || '{}') as Body
      for (const [pattern, answer] of routes) {
        const [, topic, version] = pattern.exec(line) ?? []
        const subject = subjects[topic ?? '']
        if (subject !== undefined) return answer(subject, Number(version), body)(request, response)
      }
      return page(404)(request, response)
    })()
  })
  return { url, asked }
}

interface Body {
  readonly compatibility?: string
  readonly schema?: string
}

const NOT_FOUND = saying(404, { error_code: 40401, message: 'Subject not found.' })

async function text(stream: AsyncIterable<unknown>): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += String(chunk)
  return all
}

function fresh(): Subject {
  return { level: null, versions: {} }
}

describe('registering our schemas', () => {
  test.each([true, false])(
    'sets FULL_TRANSITIVE for both subjects; the registry stores a level before there is a schema: %j',
    async (keepsLevelOfNew) => {
      const subjects = { in: fresh(), out: fresh() }
      const { url } = await startRegistry(subjects, { keepsLevelOfNew })
      expect(await register(url)).toEqual(
        ['in-value', 'out-value'].map((subject) => ({
          kind: 'registered',
          subject,
          id: 7,
          formerLevel: null,
        })),
      )
      expect(subjects).toEqual({
        in: { level: 'FULL_TRANSITIVE', versions: { 1: schemaJson('verification-completed') } },
        out: { level: 'FULL_TRANSITIVE', versions: { 1: schemaJson('verification-result') } },
      })
    },
  )

  test('reports a schema that exists already', async () => {
    const subjects = { in: fresh(), out: fresh() }
    const { url } = await startRegistry(subjects)
    const kinds = async (): Promise<string[]> => (await register(url)).map(({ kind }) => kind)
    expect(await kinds()).toEqual(['registered', 'registered'])
    expect(await kinds()).toEqual(['exists', 'exists'])
    Object.assign(subjects.out.versions, { 1: JSON.stringify('string'), 2: JSON.stringify('string') })
    expect(await kinds()).toEqual(['exists', 'registered'])
  })

  test('restores a compatibility level that was lowered and reports the previous one', async () => {
    const schema = schemaJson('verification-result')
    const subjects = { in: fresh(), out: { level: 'NONE', versions: { 1: schema } } }
    const { url } = await startRegistry(subjects)
    expect((await register(url)).map(({ formerLevel }) => formerLevel)).toEqual([null, 'NONE'])
    expect(subjects.out.level).toBe('FULL_TRANSITIVE')
  })

  test('checks against every registered version, not only the latest', async () => {
    const out = {
      level: 'FULL_TRANSITIVE',
      versions: { 1: '{}', 2: '{}', 3: '{}' },
      incompatible: { 1: ['READER_FIELD_MISSING_DEFAULT_VALUE at /fields/4'], 3: ['TYPE_MISMATCH'] },
    }
    const { url, asked } = await startRegistry({ in: fresh(), out })
    expect((await register(url)).at(-1)).toEqual({
      kind: 'incompatible',
      subject: 'out-value',
      reasons: ['version 1: READER_FIELD_MISSING_DEFAULT_VALUE at /fields/4', 'version 3: TYPE_MISMATCH'],
      formerLevel: null,
    })
    expect(asked).not.toContain('POST /subjects/out-value/versions')
  })

  test('reports incompatibilities in both directions if the registry gives no reason', async () => {
    const schema = JSON.parse(schemaJson('verification-result')) as { fields: object[] }
    const other = {
      ...schema,
      fields: [
        { name: 'transactionId', type: 'long' },
        ...schema.fields.slice(1),
        { name: 'added', type: 'string' },
      ],
    }
    const out = { level: null, versions: { 1: JSON.stringify(other) }, incompatible: { 1: [] } }
    const { url } = await startRegistry({ in: fresh(), out })
    expect((await register(url)).at(-1)).toMatchObject({
      kind: 'incompatible',
      reasons: [
        'version 1: readers of the new version could not read it: field transactionId: cannot read "long" as "string"',
        'version 1: its readers could not read the new version: field transactionId: cannot read "string" as "long"',
      ],
    })
  })

  test("passes on the registry's message if it rejects the schema itself", async () => {
    const { url } = await startRegistry({ in: fresh(), out: fresh() })
    const refusing = await serve((request, response) => {
      if (request.method === 'POST') {
        return saying(422, { error_code: 42201, message: 'Invalid schema:\u001b[2J no such type' })(
          request,
          response,
        )
      }
      return void fetch(`${url}${request.url}`, {
        method: request.method ?? 'GET',
        ...bodyFor(request.method),
      }).then(async (answer) => saying(answer.status, await answer.json())(request, response))
    })
    await expect(register(refusing)).rejects.toThrow(
      'The registry answered POST /subjects/in-value/versions with HTTP 422: Invalid schema: [2J no such type',
    )
  })
})

function bodyFor(method: string | undefined): { body?: string } {
  return method === 'PUT' ? { body: '{"compatibility":"FULL_TRANSITIVE"}' } : {}
}

describe('a server that is not a schema registry', () => {
  test.each(NOT_REGISTRIES)('is reported as such: %s, HTTP %i', async (_, status, answer) => {
    const url = await serve(answer)
    await expect(register(url)).rejects.toThrow(
      `HTTP ${status}: ${url} is not a schema registry at this path (Apicurio needs /apis/ccompat/v7)`,
    )
  })

  test.each<[string, RequestListener]>([
    ['an object without an id', saying(200, { version: 1 })],
    ['an id that is a text', saying(200, { id: '7' })],
    ['a list', saying(200, [])],
  ])('is not trusted to have registered a schema: %s', async (_, answer) => {
    const { url } = await startRegistry({ in: fresh(), out: fresh() })
    const between = await serve((request, response) => {
      if (request.method === 'POST') return answer(request, response)
      return void fetch(`${url}${request.url}`, {
        method: request.method ?? 'GET',
        ...bodyFor(request.method),
      }).then(async (answered) => saying(answered.status, await answered.json())(request, response))
    })
    await expect(register(between)).rejects.toThrow('is not a schema registry at this path')
  })

  test.each([502, 503, 429])('may be a proxy for an unavailable registry: HTTP %i', async (status) => {
    await expect(register(await serve(page(status)))).rejects.toThrow(
      `The schema registry is unavailable (HTTP ${status})`,
    )
  })

  test('may be unreachable', async () => {
    await expect(register('http://127.0.0.1:1')).rejects.toThrow(
      'The schema registry does not answer (ECONNREFUSED): check SCHEMA_REGISTRY_URL',
    )
  })
})
