/** Ports for programs that must know theirs before they start. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the range from which systems choose local ports of outgoing connections (Linux: from 32768). From that range,
 * a client that reconnects to a stopped broker could get the broker's own port, connect to itself, and keep the port.
 */
const LOWEST = 20_000
const HIGHEST = 32_000
const ATTEMPTS = 100

const given = new Set<number>()

/** A loopback port on which nobody listens now; never the same one twice. Another process may still take it first. */
export async function pickPort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST, HIGHEST)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`No free port was found between ${LOWEST} and ${HIGHEST}.`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (listening) await new Promise((resolve) => server.close(resolve))
  return listening
}
