/**
 * Opens sockets to the brokers like kafkajs, with three differences. Nagle's algorithm is off, as in Kafka's own
 * client. Requests made in the same event-loop turn are sent in one write, because a write costs as much as
 * everything else about a small request. And `unref` on a destroyed socket leaves no listener behind.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactory } from 'kafkajs'

const KEEP_ALIVE_DELAY_MS = 60_000

export const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  // TLS does not allow an IP address as a server name.
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
  socket.setNoDelay(true)
  writeOnceATurn(socket)
  unrefWhileOpen(socket)
  return socket
}

/**
 * `nextTick` runs after the promises that have already resolved, so requests made together are all encoded by then.
 */
function writeOnceATurn(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: readonly unknown[]) => boolean
  socket.write = (...args: readonly unknown[]) => {
    if (socket.writableCorked === 0) {
      socket.cork()
      process.nextTick(() => socket.uncork())
    }
    return write(...args)
  }
}

/**
 * Without a handle, Node defers `unref` until the socket connects, and adds a listener each time. kafkajs calls it
 * on every `disconnect`, also for brokers that are down, and a destroyed socket never connects again.
 */
function unrefWhileOpen(socket: Socket): void {
  const unref = socket.unref.bind(socket)
  socket.unref = () => (socket.destroyed ? socket : unref())
}
