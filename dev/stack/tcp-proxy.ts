/** A TCP proxy on a loopback port that simulates network faults. It does not interpret the bytes it forwards. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Delay } from './delay.ts'

export interface TcpProxy {
  readonly port: number
  /** Resets every connection and refuses new ones until healed, like a stopped process or a firewall that rejects. */
  cut(): Promise<void>
  /**
   * Forwards nothing and closes nothing until healed, like a machine that vanished or a firewall that drops. New
   * connections are accepted and stay silent. Existing connections stay silent even after healing, as if a router had
   * forgotten them.
   */
  blackhole(): void
  /** Holds data back until healed, then delivers all of it, late. */
  stall(): void
  heal(): Promise<void>
  close(): Promise<void>
}

type Condition = 'healthy' | 'cut' | 'blackhole' | 'stall'

export interface TcpProxyOptions {
  readonly port: number
  readonly target: number
  /** Delays each piece of data by a random time up to this value, in order within each connection. */
  readonly jitterMs?: number
}

export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const proxy = new Proxy(options)
  await proxy.listen()
  return {
    port: options.port,
    cut: () => proxy.cut(),
    blackhole: () => proxy.blackhole(),
    stall: () => proxy.stall(),
    heal: () => proxy.heal(),
    close: () => proxy.cut(),
  }
}

const LOOPBACK = '127.0.0.1'

class Proxy {
  readonly #options: TcpProxyOptions
  readonly #links = new Set<Link>()
  readonly #server: Server
  #condition: Condition = 'healthy'

  constructor(options: TcpProxyOptions) {
    this.#options = options
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client))
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#options.port, LOOPBACK)
    await once(this.#server, 'listening')
  }

  async cut(): Promise<void> {
    if (this.#condition === 'cut') return
    this.#condition = 'cut'
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const link of this.#links) link.reset()
    await closed
  }

  blackhole(): void {
    this.#condition = 'blackhole'
    for (const link of this.#links) link.hold()
  }

  stall(): void {
    this.#condition = 'stall'
    for (const link of this.#links) link.hold()
  }

  async heal(): Promise<void> {
    const before = this.#condition
    this.#condition = 'healthy'
    if (before === 'cut') await this.listen()
    if (before === 'stall') for (const link of this.#links) link.release()
  }

  #accept(client: Socket): void {
    const upstream = connect({ host: LOOPBACK, port: this.#options.target, noDelay: true })
    const link = new Link(client, upstream, this.#options.jitterMs ?? 0)
    this.#links.add(link)
    client.on('close', () => this.#links.delete(link))
    if (this.#condition !== 'healthy') link.hold()
  }
}

/** Forwards data between two sockets. When one ends, so does the other. */
class Link {
  readonly #sockets: readonly [client: Socket, upstream: Socket]
  readonly #jitterMs: number
  #held = false

  constructor(client: Socket, upstream: Socket, jitterMs: number) {
    this.#jitterMs = jitterMs
    this.#sockets = [client, upstream]
    this.#forward(client, upstream)
    this.#forward(upstream, client)
  }

  hold(): void {
    this.#held = true
    for (const socket of this.#sockets) socket.pause()
  }

  release(): void {
    this.#held = false
    for (const socket of this.#sockets) socket.resume()
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #forward(from: Socket, to: Socket): void {
    const way = new Delay(this.#jitterMs)
    from.on('data', (bytes) => {
      way.pass(() => {
        if (!to.write(bytes)) from.pause()
      })
    })
    to.on('drain', () => {
      if (!this.#held) from.resume()
    })
    from.on('end', () => way.pass(() => to.end()))
    // Forward a reset as a reset. The other side would interpret an orderly end differently.
    from.on('error', () => to.resetAndDestroy())
    from.on('close', () => way.pass(() => to.destroySoon()))
  }
}
