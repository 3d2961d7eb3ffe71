/** A TCP proxy on a loopback port that can play a bad network. It looks at no byte of what it forwards. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Delay } from './delay.ts'

export interface TcpProxy {
  readonly port: number
  /** Resets every connection and refuses new ones, until healed: a process that is gone, a firewall that rejects. */
  cut(): Promise<void>
  /**
   * Forwards nothing more and closes nothing, until healed: a machine that vanished, a firewall that drops. Connections
   * are taken, and stay silent. Those of now stay so after the healing too, as when the way has forgotten them.
   */
  blackhole(): void
  /** Holds back what is sent, until healed; then all of it arrives, late. */
  stall(): void
  heal(): Promise<void>
  close(): Promise<void>
}

type Weather = 'fair' | 'cut' | 'blackhole' | 'stall'

export interface TcpProxyOptions {
  readonly port: number
  readonly target: number
  /** What is sent arrives up to so much later, each piece by chance, each connection's in order. */
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
  #weather: Weather = 'fair'

  constructor(options: TcpProxyOptions) {
    this.#options = options
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client))
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#options.port, LOOPBACK)
    await once(this.#server, 'listening')
  }

  async cut(): Promise<void> {
    if (this.#weather === 'cut') return
    this.#weather = 'cut'
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const link of this.#links) link.reset()
    await closed
  }

  blackhole(): void {
    this.#weather = 'blackhole'
    for (const link of this.#links) link.hold()
  }

  stall(): void {
    this.#weather = 'stall'
    for (const link of this.#links) link.hold()
  }

  async heal(): Promise<void> {
    const before = this.#weather
    this.#weather = 'fair'
    if (before === 'cut') await this.listen()
    if (before === 'stall') for (const link of this.#links) link.release()
  }

  #accept(client: Socket): void {
    const upstream = connect({ host: LOOPBACK, port: this.#options.target, noDelay: true })
    const link = new Link(client, upstream, this.#options.jitterMs ?? 0)
    this.#links.add(link)
    client.on('close', () => this.#links.delete(link))
    if (this.#weather !== 'fair') link.hold()
  }
}

/** Two sockets, each passing on to the other what it gets. When one ends, so does the other. */
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
    // A reset is passed on as one: the other side would take an orderly end for something else.
    from.on('error', () => to.resetAndDestroy())
    from.on('close', () => way.pass(() => to.destroySoon()))
  }
}
