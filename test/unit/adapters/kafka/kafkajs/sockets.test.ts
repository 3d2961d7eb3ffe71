import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openSocket } from '../../../../../src/adapters/kafka/kafkajs/sockets.ts'

/** A connection as kafkajs creates it, and what the other end receives. */
async function connected(): Promise<{ socket: Socket; received: () => string }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const peer = once(server, 'connection')
  const socket = await new Promise<Socket>((resolve) => {
    const opened: Socket = openSocket({
      host: '127.0.0.1',
      port,
      // kafkajs omits this for a plain connection, contrary to its types.
      ssl: undefined as never,
      onConnect: () => resolve(opened),
    })
  })
  const [other] = (await peer) as [Socket]
  let text = ''
  other.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  onTestFinished(() => {
    socket.destroy()
    other.destroy()
    server.close()
  })
  return { socket, received: () => text }
}

test('data written in one event-loop turn leaves in one write and in order, even after resolved promises', async () => {
  const { socket, received } = await connected()
  // The chunks that libuv writes: one for everything that was corked.
  const together = vi.spyOn(socket, '_writev' as never)
  const alone = vi.spyOn(socket, '_write')
  socket.write('a')
  await Promise.resolve()
  socket.write('b')
  await expect.poll(received).toBe('ab')
  expect(together).toHaveBeenCalledTimes(1)
  expect(alone).not.toHaveBeenCalled()

  socket.write('c')
  await expect.poll(received).toBe('abc')
})

test('each event-loop turn has a separate write', async () => {
  const { socket, received } = await connected()
  socket.write('a')
  expect(socket.writableCorked).toBe(1)
  await new Promise((resolve) => void setImmediate(resolve))
  expect(socket.writableCorked).toBe(0)
  socket.write('b')
  await expect.poll(received).toBe('ab')
})

test('a refused connection keeps no listeners of callers that gave up', async () => {
  const socket: Socket = openSocket({
    host: '127.0.0.1',
    port: 1,
    ssl: undefined as never,
    onConnect: () => undefined,
  })
  socket.on('error', () => undefined)
  await new Promise((resolve) => void socket.once('close', resolve))
  const before = socket.listenerCount('connect')
  for (let asker = 0; asker < 20; asker += 1) socket.unref()
  expect(socket.listenerCount('connect')).toBe(before)
})
