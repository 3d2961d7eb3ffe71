import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { pickPort } from '../../../../dev/stack/ports.ts'
import { startTcpProxy, type TcpProxy } from '../../../../dev/stack/tcp-proxy.ts'

/** A server that says everything twice, behind a proxy. */
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

/** What the client has heard, and how it ended. */
function client({ port }: TcpProxy) {
  const socket = connect({ port, host: '127.0.0.1' })
  const heard: string[] = []
  const ends: string[] = []
  socket.on('data', (bytes) => heard.push(String(bytes)))
  socket.on('error', (error) => ends.push('code' in error ? String(error.code) : error.name))
  onTestFinished(() => void socket.destroy())
  return { say: (text: string) => void socket.write(text), heard: () => heard.join(''), ends }
}

test('forwards both ways', async () => {
  const { say, heard } = client(await proxiedEcho())
  say('ab')
  await expect.poll(heard).toBe('abab')
})

test('cut, it resets what is open and refuses what comes; healed, it forwards again', async () => {
  const proxy = await proxiedEcho()
  const before = client(proxy)
  before.say('a')
  await expect.poll(before.heard).toBe('aa')
  await proxy.cut()
  await expect.poll(() => before.ends).toEqual(['ECONNRESET'])
  const during = client(proxy)
  await expect.poll(() => during.ends).toEqual(['ECONNREFUSED'])
  await proxy.heal()
  const after = client(proxy)
  after.say('b')
  await expect.poll(after.heard).toBe('bb')
})

test('black-holed, it keeps everything open and silent; healed, new connections alone are heard', async () => {
  const proxy = await proxiedEcho()
  const before = client(proxy)
  before.say('a')
  await expect.poll(before.heard).toBe('aa')
  proxy.blackhole()
  const during = client(proxy)
  before.say('b')
  during.say('c')
  await proxy.heal()
  const after = client(proxy)
  after.say('d')
  await expect.poll(after.heard).toBe('dd')
  expect([before.heard(), before.ends]).toEqual(['aa', []])
})

test('stalled, it holds back what is said; healed, all of it arrives', async () => {
  const proxy = await proxiedEcho()
  const before = client(proxy)
  before.say('a')
  await expect.poll(before.heard).toBe('aa')
  proxy.stall()
  const during = client(proxy)
  before.say('b')
  during.say('c')
  expect([before.heard(), during.heard()]).toEqual(['aa', ''])
  await proxy.heal()
  await expect.poll(before.heard).toBe('aabb')
  await expect.poll(during.heard).toBe('cc')
})

test('with jitter, all arrives, and in order', async () => {
  const { say, heard } = client(await proxiedEcho(20))
  const said = 'abcdefghij'
  for (const letter of said) {
    say(letter)
    await setImmediate()
  }
  await expect.poll(() => heard().length).toBe(2 * said.length)
  // What arrives together is said twice together.
  expect([...new Set(heard())].join('')).toBe(said)
})
