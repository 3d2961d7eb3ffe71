import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { pickPort } from '../../../../dev/stack/ports.ts'
import { startTcpProxy, type TcpProxy } from '../../../../dev/stack/tcp-proxy.ts'

/** An echo server that repeats everything twice, behind a proxy. */
async function proxiedEcho(jitterMs = 0): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => socket.write(`${String(bytes)}${String(bytes)}`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: target } = server.address() as AddressInfo
  const proxy = await startTcpProxy({ port: await pickPort(), target, jitterMs })
  onTestFinished(async () => {
    await proxy.close()
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return proxy
}

/** The bytes that the client received, and how its connection ended. */
function client({ port }: TcpProxy) {
  const socket = connect({ port, host: '127.0.0.1' })
  const received: string[] = []
  const ends: string[] = []
  socket.on('data', (bytes) => received.push(String(bytes)))
  socket.on('error', (error) => ends.push('code' in error ? String(error.code) : error.name))
  onTestFinished(() => void socket.destroy())
  return { say: (text: string) => void socket.write(text), received: () => received.join(''), ends }
}

test('forwards data in both directions', async () => {
  const { say, received } = client(await proxiedEcho())
  say('ab')
  await expect.poll(received).toBe('abab')
})

test('a cut proxy resets open connections and refuses new ones, and forwards again once restored', async () => {
  const proxy = await proxiedEcho()
  const before = client(proxy)
  before.say('a')
  await expect.poll(before.received).toBe('aa')
  await proxy.cut()
  await expect.poll(() => before.ends).toEqual(['ECONNRESET'])
  const during = client(proxy)
  await expect.poll(() => during.ends).toEqual(['ECONNREFUSED'])
  await proxy.heal()
  const after = client(proxy)
  after.say('b')
  await expect.poll(after.received).toBe('bb')
})

test('a black-holed proxy keeps connections open without forwarding; once restored, only new connections work', async () => {
  const proxy = await proxiedEcho()
  const before = client(proxy)
  before.say('a')
  await expect.poll(before.received).toBe('aa')
  proxy.blackhole()
  const during = client(proxy)
  before.say('b')
  during.say('c')
  await proxy.heal()
  const after = client(proxy)
  after.say('d')
  await expect.poll(after.received).toBe('dd')
  expect([before.received(), before.ends]).toEqual(['aa', []])
})

test('a stalled proxy holds data back and delivers all of it once restored', async () => {
  const proxy = await proxiedEcho()
  const before = client(proxy)
  before.say('a')
  await expect.poll(before.received).toBe('aa')
  proxy.stall()
  const during = client(proxy)
  before.say('b')
  during.say('c')
  expect([before.received(), during.received()]).toEqual(['aa', ''])
  await proxy.heal()
  await expect.poll(before.received).toBe('aabb')
  await expect.poll(during.received).toBe('cc')
})

test('jitter keeps all data and its order', async () => {
  const { say, received } = client(await proxiedEcho(20))
  const sent = 'abcdefghij'
  for (const character of sent) {
    say(character)
    await setImmediate()
  }
  await expect.poll(() => received().length).toBe(2 * sent.length)
  // Chunks that arrive together are echoed together.
  expect([...new Set(received())].join('')).toBe(sent)
})
