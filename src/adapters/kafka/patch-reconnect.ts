/**
 * kafkajs has one object for a connection and for all that follow it, and what was before gets in the way of what comes
 * after. Each of these leaves somebody waiting for ever, a lane or a whole consumer:
 *
 * - What had come of an answer when the connection broke is kept, and the next answers are read behind it. Its socket is only
 *   half closed, and what still comes from there is taken for the next one's, its end too. Patched here: each connection
 *   begins with nothing, and the socket of before is gone for good.
 * - Two requests that find it closed open a socket each. Patched here: the second waits for the first's.
 * - Who logs in when the connection breaks is told of an orderly end only. Patched here: nothing outlives its socket.
 */
import kafkajs from 'kafkajs'
import { ConnectionClass, type Connection } from './internals.ts'

const SIZE_BYTES = 4

const opening = new WeakMap<Connection, Promise<void>>()
/** As it was before, other patches included. */
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
  await connecting
}

/** Those, too, that an error or the end has told already: there are none left then. */
function tellAll(connection: Connection): void {
  const { broker, authHandlers } = connection
  authHandlers?.onError()
  connection.rejectRequests(new kafkajs.KafkaJSConnectionError('The connection is closed', { broker }))
}
