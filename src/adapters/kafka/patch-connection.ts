/**
 * A connection of kafkajs on which a request has timed out is used again for the next, which times out too, and so on for
 * as long as the machine believes in it: when a broker's host vanishes that is a quarter of an hour. Patched here: the
 * connection ends, everything else that waits on it is told, and the next request makes a new one.
 */
import { ConnectionClass, type Connection } from './internals.ts'

const original = ConnectionClass.prototype.connect

export function patchConnection(): void {
  ConnectionClass.prototype.connect = connect
}

function connect(this: Connection): Promise<unknown> {
  this.requestQueue.giveUp = () => this.socket.destroy(new SilentBrokerError())
  return original.call(this)
}

/** Like the error a system reports for a peer that has gone. */
class SilentBrokerError extends Error {
  readonly code = 'ETIMEDOUT'

  constructor() {
    super('ETIMEDOUT: the broker does not answer')
  }
}
