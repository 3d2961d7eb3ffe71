/**
 * The connections to the brokers. As kafkajs makes them, but for three things: no request waits for the acknowledgement of
 * the one before (Nagle's algorithm, which Kafka's own client switches off too), requests made in the same turn of the
 * event loop leave in one write, for a write costs as much as all else that is done for a small request, and letting go of
 * a connection that is gone leaves nothing behind.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactory } from 'kafkajs'

const KEEP_ALIVE_DELAY_MS = 60_000

export const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  // An address is no server name: TLS has none for it.
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
  socket.setNoDelay(true)
  writeOnceATurn(socket)
  unrefWhileOpen(socket)
  return socket
}

/** `nextTick` comes after every promise that is already settled: requests made together have all been encoded by then. */
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
 * Node puts `unref` off until the socket connects where it has no handle, with one listener more each time. kafkajs says
 * it at every `disconnect`, and everybody who asked for a broker that is down disconnects it; a destroyed socket never
 * connects again.
 */
function unrefWhileOpen(socket: Socket): void {
  const unref = socket.unref.bind(socket)
  socket.unref = () => (socket.destroyed ? socket : unref())
}
