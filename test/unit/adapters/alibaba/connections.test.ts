import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Connections, NOT_STARTED } from '../../../../src/adapters/alibaba/connections.ts'

/** A server that counts its sockets and requests, and connections to it. */
async function connected(server: Server = createServer()) {
  const sockets: Socket[] = []
  const requests: number[] = []
  server.on('connection', (socket) => sockets.push(socket))
  server.on('request', ({ socket }, response) => {
    requests.push(socket.remotePort ?? 0)
    response.end('yes')
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const connections = new Connections({
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connectTimeoutMs: 1_000,
    maxAgeMs: 60_000,
    maxResponseBytes: 1_000,
  })
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => void server.close(resolve))
  }
  onTestFinished(async () => {
    await connections.close()
    await stop()
  })
  const post = (mayStart = true) =>
    connections.post({ path: '/', headers: {}, withinMs: 5_000, ticket: { confirm: () => mayStart } })
  return { connections, post, sockets, requests, stop }
}

test('a request that may not start is not written, and its connection serves the next request', async () => {
  const { post, sockets, requests } = await connected()
  for (let round = 0; round < 2; round += 1) {
    await expect(post(false)).rejects.toMatchObject({ cause: NOT_STARTED })
    expect(await post()).toMatchObject({ status: 200, text: 'yes' })
  }
  expect([requests.length, sockets.length]).toEqual([2, 1])
})

describe('connections opened in advance', () => {
  test('send nothing until they are used', async () => {
    const { connections, post, sockets, requests } = await connected()
    connections.warm(4)
    await expect.poll(() => sockets.length).toBe(4)
    connections.warm(4)
    expect(requests).toEqual([])
    await Promise.all([post(), post()])
    expect([new Set(requests).size, sockets.length]).toEqual([2, 4])
  })

  test('are replenished by one when the last idle one is used', async () => {
    const { connections, post, sockets } = await connected()
    connections.warm(2)
    await expect.poll(() => sockets.length).toBe(2)
    await Promise.all([post(), post()])
    await expect.poll(() => sockets.length).toBe(3)
  })

  test('are not used after the server has closed them', async () => {
    const { connections, post, sockets, requests } = await connected()
    connections.warm(3)
    await expect.poll(() => sockets.length).toBe(3)
    const gone = sockets.map(async (socket) => new Promise((resolve) => void socket.on('close', resolve)))
    for (const socket of sockets) socket.end()
    await Promise.all(gone)
    expect([(await post()).status, requests.length]).toEqual([200, 1])
  })

  test('are left to the next request if they cannot be opened', async () => {
    const { connections, post, stop } = await connected()
    await stop()
    connections.warm(3)
    await expect(post()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  })
})
