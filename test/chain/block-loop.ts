/**
 * Loaded into a replica before everything else: from a SIGUSR2 to the next, its event loop stands still for longer than it
 * may after each scrape, and still answers the next one in time.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

const BLOCKED_MS = 560

const state = { blocks: false }
const never = new Int32Array(new SharedArrayBuffer(4))

process.on('SIGUSR2', () => {
  state.blocks = !state.blocks
})

subscribe('http.server.response.finish', (message) => {
  const { request } = message as { request: IncomingMessage }
  if (state.blocks && request.url === '/metrics') setImmediate(() => Atomics.wait(never, 0, 0, BLOCKED_MS))
})
