/**
 * When a broker's host vanishes, the system believes in its connections for a quarter of an hour, and so does kafkajs: after
 * a request has timed out it uses the same connection for the next. Patched here, so that a silence costs one time-out:
 *
 * - The connection on which a request has timed out ends. Everything else that waits on it is told, and the next request
 *   makes a new one.
 * - With it end all others to that broker, idle ones too, on which nothing has been heard since before that request: else
 *   each would be found out by a request of its own, one after the other.
 * - A new connection is asked for the broker's versions, as Kafka's own client does, and has the time for connecting to
 *   answer: while the way is closed a connection may seem to be made, and a Produce or a JoinGroup may take long to answer.
 */
import type { Socket } from 'node:net'
import { ConnectionClass, apiVersionsRequest, type Connection } from './internals.ts'

interface Line {
  readonly broker: string
  /** When something came last, monotonic; of its beginning while nothing has. */
  heardMs: number
}

/** The library asks once more where it wants to know them. */
const ANY_ANSWER = { decode: () => ({}), parse: () => undefined }

const original = ConnectionClass.prototype.connect
const open = new Map<Socket, Line>()

/** To be called before {@link patchReconnect}. */
export function patchSilence(): void {
  ConnectionClass.prototype.connect = connect
}

async function connect(this: Connection): Promise<void> {
  this.requestQueue.giveUp = (sinceMs) => giveUpAll(this, sinceMs)
  await original.call(this)
  watch(this)
  // A login begins with such a question itself, and a broker takes no second one before it.
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

/** It, and whatever is open to the same broker and has been silent since then at least. */
function giveUpAll(silent: Connection, sinceMs: number): void {
  for (const [socket, { broker, heardMs }] of open) {
    const isAsSilent = broker === silent.broker && heardMs <= sinceMs
    if (socket === silent.socket || isAsSilent) socket.destroy(new SilentBrokerError())
  }
}

/** Like the error a system reports for a peer that has gone. */
class SilentBrokerError extends Error {
  readonly code = 'ETIMEDOUT'

  constructor() {
    super('ETIMEDOUT: the broker does not answer')
  }
}
