/**
 * When a broker's host vanishes, the operating system keeps its connections for a quarter of an hour. kafkajs does
 * too: after a timeout it uses the same connection for the next request. With this patch a silent broker costs only
 * one timeout:
 *
 * - The connection of a timed-out request is closed. All its other requests fail, and the next request opens a new
 *   one.
 * - All other connections to that broker that have received nothing since that request are closed too, idle ones
 *   included. Otherwise each would need a timeout of its own.
 * - A new connection first requests the broker's API versions, as Kafka's own client does, and the answer must
 *   arrive within the connection timeout. Without network a connection may seem to be established, and a Produce or
 *   JoinGroup may take long to answer.
 */
import type { Socket } from 'node:net'
import { ConnectionClass, apiVersionsRequest, type Connection } from './internals.ts'

interface Line {
  readonly broker: string
  /** When data last arrived, in monotonic milliseconds. When it was opened, if none has. */
  heardMs: number
}

/** The library sends this request again if it needs the versions. */
const ANY_ANSWER = { decode: () => ({}), parse: () => undefined }

const original = ConnectionClass.prototype.connect
const open = new Map<Socket, Line>()

export function patchSilence(): void {
  ConnectionClass.prototype.connect = connect
}

async function connect(this: Connection): Promise<void> {
  this.requestQueue.giveUp = (sinceMs) => giveUpAll(this, sinceMs)
  await original.call(this)
  watch(this)
  // A login begins with this request itself, and a broker accepts no second one before it.
  if (!this.sasl) await this.send({ request: apiVersionsRequest(), response: ANY_ANSWER })
}

function watch(connection: Connection): void {
  const { socket, broker, connectionTimeout } = connection
  if (socket === undefined) return
  const line = { broker, heardMs: performance.now() }
  open.set(socket, line)
  const firstAnswer = setTimeout(() => giveUpAll(connection, line.heardMs), connectionTimeout)
  socket.once('data', () => clearTimeout(firstAnswer))
  socket.on('data', () => (line.heardMs = performance.now()))
  socket.once('close', () => {
    clearTimeout(firstAnswer)
    open.delete(socket)
  })
}

/** Closes the connection, and all others to the same broker that have been silent at least since then. */
function giveUpAll(silent: Connection, sinceMs: number): void {
  for (const [socket, { broker, heardMs }] of open) {
    const isAsSilent = broker === silent.broker && heardMs <= sinceMs
    if (socket === silent.socket || isAsSilent) socket.destroy(new SilentBrokerError())
  }
}

/** Mimics the system's error for a peer that has gone. */
class SilentBrokerError extends Error {
  readonly code = 'ETIMEDOUT'

  constructor() {
    super('ETIMEDOUT: the broker does not answer')
  }
}
