/**
 * Loaded into a replica before everything else: from a SIGWINCH to the next its event loop stands still after each scrape,
 * for longer than it may and not as long as until the next.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

/** A scrape resets what the loop's monitor has measured; it measures from its next tick on, 50 ms apart. */
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
