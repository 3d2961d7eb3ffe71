import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { connectionsOf } from '../../../../dev/harness/usage.ts'

async function listen(): Promise<Server> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

async function open(server: Server) {
  const accepted = once(server, 'connection')
  const client = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void client.destroy())
  const [socket] = (await accepted) as [typeof client]
  onTestFinished(() => void socket.destroy())
  return { client, socket }
}

test('only open connections of the process to this port are counted', async () => {
  const server = await listen()
  await open(server)
  await open(await listen())
  const { client, socket } = await open(server)
  // The server's ends also belong to this process, but lead to other ports.
  expect(connectionsOf(process.pid, portOf(server))).toBe(2)
  expect(connectionsOf(process.ppid, portOf(server))).toBe(0)
  socket.end()
  await once(client.resume(), 'end')
  expect(connectionsOf(process.pid, portOf(server))).toBe(1)
})
