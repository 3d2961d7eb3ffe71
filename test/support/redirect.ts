/** Connections of Node's own HTTP clients, led to loopback: for addresses that a library has written into it. */
import http from 'node:http'
import https from 'node:https'

export interface Redirection {
  /** Every host that was connected to, in order. */
  readonly hosts: readonly string[]
  restore(): void
}

/** Hosts that are not in `ports` are refused: nothing leaves the machine. */
export function redirectConnections(ports: () => Readonly<Record<string, number>>): Redirection {
  const hosts: string[] = []
  const restores = [http.Agent, https.Agent].map(({ prototype }) => {
    // Called with its `this` below.
    // oxlint-disable-next-line typescript/unbound-method
    const original = prototype.createConnection
    prototype.createConnection = function createConnection(options, callback) {
      const host = options.host ?? ''
      hosts.push(host)
      return original.call(this, { ...options, host: '127.0.0.1', port: ports()[host] ?? 1 }, callback)
    }
    return () => {
      prototype.createConnection = original
    }
  })
  return {
    hosts,
    restore: () => {
      for (const restore of restores) restore()
    },
  }
}
