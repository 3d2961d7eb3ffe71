import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openSocket } from '../../../../src/adapters/kafka/sockets.ts'

/** A connection as kafkajs asks for it, and what its other end receives. */
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
      // kafkajs leaves it out for a plain connection, whatever its types say.
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

test('what is written in one turn, also after promises that are settled, leaves in one write and in order', async () => {
  const { socket, received } = await connected()
  // What libuv is asked to write: once for all that was corked.
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

test('each turn has a write of its own', async () => {
  const { socket, received } = await connected()
  socket.write('a')
  expect(socket.writableCorked).toBe(1)
  await new Promise((resolve) => void setImmediate(resolve))
  expect(socket.writableCorked).toBe(0)
  socket.write('b')
  await expect.poll(received).toBe('ab')
})

test('a connection that was refused keeps no listener of those who let go of it, however many they are', async () => {
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
