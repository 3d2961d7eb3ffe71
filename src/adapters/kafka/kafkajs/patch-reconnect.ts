/**
 * kafkajs reuses one object for a connection and all its successors, and state of the old connection breaks the new
 * one. Each of these cases leaves a lane or the whole consumer waiting forever:
 *
 * - A partial response of the broken connection is kept, and the next responses are appended to it. Its socket is
 *   only half closed, so late data and its end are taken for the new connection's. Patch: each connection starts with
 *   no data, and the old socket is destroyed.
 * - Two requests that find the connection closed open a socket each. Patch: the second waits for the first one's.
 * - A login is notified only if the connection ends cleanly. Patch: everything ends with its socket.
 */
import kafkajs from 'kafkajs'
import { connectionFailures } from '../connection-failures.ts'
import { ConnectionClass, type Connection } from './internals.ts'

const SIZE_BYTES = 4

const opening = new WeakMap<Connection, Promise<void>>()
/** The previous method, including other patches. */
let original: Connection['connect']

export function patchReconnect(): void {
  original ??= ConnectionClass.prototype.connect
  ConnectionClass.prototype.connect = connect
}

async function connect(this: Connection): Promise<void> {
  const pending = opening.get(this)
  if (pending !== undefined) return pending
  if (this.isConnected()) return
  const opened = open(this).finally(() => opening.delete(this))
  opening.set(this, opened)
  await opened
}

async function open(connection: Connection): Promise<void> {
  connection.socket?.destroy()
  connection.chunks = []
  connection.bytesBuffered = 0
  connection.bytesNeeded = SIZE_BYTES
  const connecting = original.call(connection)
  const { socket } = connection
  socket?.once('close', () => {
    if (connection.socket === socket) tellAll(connection)
  })
  try {
    await connecting
    connectionFailures.succeeded(connection.broker)
  } catch (error) {
    connectionFailures.failed(connection.broker, error)
    throw error
  }
}

/** Safe to call after an error or the end of the socket, because no requests are left then. */
function tellAll(connection: Connection): void {
  const { broker, authHandlers } = connection
  authHandlers?.onError()
  connection.rejectRequests(new kafkajs.KafkaJSConnectionError('The connection is closed', { broker }))
}
