/**
 * Preloaded into a replica. Between two SIGWINCH signals it blocks the event loop after each scrape, for longer than
 * the alert allows but not until the next scrape.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

/** A scrape resets the event-loop monitor, which measures again from its next tick, up to 50 ms later. */
const MONITORED_AGAIN_MS = 75
const BLOCKED_MS = 540

const state = { blocks: false }
const never = new Int32Array(new SharedArrayBuffer(4))

process.on('SIGWINCH', () => {
  state.blocks = !state.blocks
})

subscribe('http.server.response.finish', (message) => {
  const { request } = message as { request: IncomingMessage }
  if (!state.blocks || request.url !== '/metrics') return
  setTimeout(() => Atomics.wait(never, 0, 0, BLOCKED_MS), MONITORED_AGAIN_MS)
})
