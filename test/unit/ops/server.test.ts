import { request } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { startOps, type Ops, type OpsOptions } from '../../../src/ops/server.ts'
import { get, GOOD, send } from '../../support/ops.ts'

const running: Ops[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((ops) => ops.close()))
})

async function start(options: Partial<OpsOptions> = {}): Promise<string> {
  const ops = await startOps({ ...GOOD, ...options })
  running.push(ops)
  return ops.address
}

function fail(): never {
  throw new Error('FICTIVE, TEST PERSON')
}

describe('probe endpoints', () => {
  test.each(['/livez', '/readyz', '/readyz?verbose=1'])(
    'GET %s returns 200 and "ok" while the check passes',
    async (path) => {
      const { status, headers, body } = await get(`${await start()}${path}`)
      expect({ status, body }).toEqual({ status: 200, body: 'ok\n' })
      expect(headers['content-type']).toBe('text/plain; charset=utf-8')
      expect(headers['cache-control']).toBe('no-store')
    },
  )

  test('a failing check returns 503 with its reasons and does not affect the other probe', async () => {
    const reasons = ['Partitions not claimed yet: 3.', 'The service is stopping.']
    const address = await start({ health: { ...GOOD.health, ready: () => ({ ok: false, reasons }) } })
    expect(await get(`${address}/readyz`)).toMatchObject({
      status: 503,
      body: 'Partitions not claimed yet: 3.\nThe service is stopping.\n',
    })
    expect(await get(`${address}/livez`)).toMatchObject({ status: 200 })
  })
})

describe('ops pages', () => {
  test('GET /metrics returns the exposition with its content type', async () => {
    const { status, headers, body } = await get(`${await start()}/metrics`)
    expect({ status, body }).toEqual({ status: 200, body: 'up 1\n' })
    expect(headers['content-type']).toBe('text/plain; version=0.0.4')
  })

  test('GET / returns a human-readable status table', async () => {
    expect((await get(await start())).body).toBe(
      [
        'checkresult-stream',
        '',
        'version          1.2.3',
        'circuit breaker  closed',
        'calls in flight  7',
        'more             /livez /readyz /metrics',
        '',
      ].join('\n'),
    )
  })

  test('HEAD returns the headers without a body', async () => {
    const { status, headers, body } = await get(`${await start()}/metrics`, 'HEAD')
    expect({ status, body }).toEqual({ status: 200, body: '' })
    expect(headers['content-length']).toBe('5')
  })

  test.each(['/nothing', '//', '/livez/', '/%', '/livezz'])('GET %s returns 404', async (path) => {
    expect(await get(`${await start()}${path}`)).toMatchObject({ status: 404 })
  })

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])(
    '%s returns 405 and the allowed methods',
    async (method) => {
      const { status, headers } = await get(`${await start()}/livez`, method)
      expect(status).toBe(405)
      expect(headers.allow).toBe('GET, HEAD')
    },
  )
})

describe('ops server errors', () => {
  test('a callback that throws or rejects returns 500 without the error text, and the server keeps serving', async () => {
    const address = await start({
      health: { live: fail, ready: () => ({ ok: true, reasons: [] }) },
      status: fail,
      exposition: () => Promise.reject(new Error('FICTIVE, TEST PERSON')),
    })
    for (const path of ['/livez', '/', '/metrics']) {
      const { status, body } = await get(`${address}${path}`)
      expect({ status, body }).toEqual({ status: 500, body: 'This page could not be created.\n' })
    }
    expect(await get(`${address}/readyz`)).toMatchObject({ status: 200 })
  })

  test('a malformed request returns 400 and an oversized one 431, and the server keeps serving', async () => {
    const address = await start()
    expect(await send(address, 'not http at all\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await send(address, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    )
    expect(await get(`${address}/livez`)).toMatchObject({ status: 200 })
  })

  test('the server keeps serving when a client disconnects before the response', async () => {
    let answer: (() => void) | undefined
    const asked = Promise.withResolvers<void>()
    const address = await start({
      exposition: () =>
        new Promise((resolve) => {
          answer = () => resolve({ contentType: 'text/plain', body: 'late\n' })
          asked.resolve()
        }),
    })
    const outgoing = request(`${address}/metrics`, { agent: false })
    const gone = new Promise((resolve) => outgoing.on('error', resolve))
    outgoing.end()
    await asked.promise
    outgoing.destroy()
    await gone
    answer?.()
    expect(await get(`${address}/livez`)).toMatchObject({ status: 200 })
  })

  test('the server closes each connection after its response', async () => {
    const received = await send(
      await start(),
      'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n',
    )
    expect(received).toMatch(/^connection: close\r$/im)
  })
})

describe('ops server startup and shutdown', () => {
  test('a port that is in use fails the start with one message', async () => {
    const { port } = new URL(await start())
    await expect(startOps({ ...GOOD, port: Number(port) })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use by another process, for example a second replica on this host or one that is still stopping. Stop it, or set OPS_PORT to a free port.`,
    )
  })

  test('an address of another host fails the start with one message', async () => {
    await expect(startOps({ ...GOOD, host: '192.0.2.1' })).rejects.toThrow(
      'OPS_HOST is 192.0.2.1, which is not an address of this machine. Set it to one that is, for example 0.0.0.0.',
    )
  })

  test('close() does not wait for an idle connection', async () => {
    const ops = await startOps(GOOD)
    const silent = send(ops.address, 'GET /livez HTTP/1.1\r\n')
    await get(`${ops.address}/livez`)
    await ops.close()
    await silent
    await expect(get(`${ops.address}/livez`)).rejects.toThrow('ECONNREFUSED')
  })
})
