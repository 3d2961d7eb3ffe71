/**
 * Preloaded into the service (`--import`). SIGWINCH, which nothing else handles, sets its clock 20 minutes ahead. The
 * next SIGWINCH sets it back.
 */
const AHEAD_MS = 20 * 60_000
const RealDate = Date
let shiftMs = 0

globalThis.Date = class extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(RealDate.now() + shiftMs)
    else super(...(args as [number]))
  }

  static override now(): number {
    return RealDate.now() + shiftMs
  }
} as DateConstructor

process.on('SIGWINCH', () => {
  shiftMs = shiftMs === 0 ? AHEAD_MS : 0
})
