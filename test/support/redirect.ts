/** Redirects connections of Node's HTTP clients to loopback, for addresses that are hard-coded in a library. */
import http from 'node:http'
import https from 'node:https'

export interface Redirection {
  /** The hosts of all connections, in order. */
  readonly hosts: readonly string[]
  restore(): void
}

/** Connections to hosts that are not in `ports` fail, so nothing leaves the machine. */
export function redirectConnections(ports: () => Readonly<Record<string, number>>): Redirection {
  const hosts: string[] = []
  const restores = [http.Agent, https.Agent].map(({ prototype }) => {
    // Called with the right `this` below.
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
