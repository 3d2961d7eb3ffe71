/**
 * A proxy in front of a server that the test cannot stop. It can refuse connections, or accept them without
 * answering.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { pickPort } from '../../dev/stack/ports.ts'

export interface CuttableProxy {
  readonly port: number
  /** Closes all connections and refuses new ones. */
  cut(): Promise<void>
  /** Accepts connections but never answers. */
  silence(): Promise<void>
  heal(): Promise<void>
  close(): Promise<void>
}

/** Always listens on the same port. */
export async function startProxy(target: { readonly port: number }): Promise<CuttableProxy> {
  const port = await pickPort()
  const sockets = new Set<Socket>()
  let server: Server | null = null

  function take(socket: Socket): void {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  }

  async function listen(answer: (socket: Socket) => void): Promise<void> {
    await stop()
    server = createServer((socket) => {
      take(socket)
      answer(socket)
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }

  async function stop(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    const stopping = server
    server = null
    if (stopping === null) return
    stopping.close()
    await once(stopping, 'close')
  }

  const pass = (socket: Socket): void => {
    const onward = connect(target.port, '127.0.0.1')
    take(onward)
    socket.pipe(onward).pipe(socket)
    onward.once('close', () => socket.destroy())
    socket.once('close', () => onward.destroy())
  }

  await listen(pass)
  return {
    port,
    cut: stop,
    silence: () => listen((socket) => void socket.resume()),
    heal: () => listen(pass),
    close: stop,
  }
}
