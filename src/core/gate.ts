/**
 * The gate: open, or closed with a reason. Pure: it is told the time and what each call brought, and says how long to
 * wait. Closed, it lets one probe through at a time and opens by itself when a probe gets an answer of any kind that is
 * not a refusal. Probes are a tenth of the time apart that it has been closed, within bounds: after a short fault work
 * goes on within seconds, and a long one is not asked about all the time.
 */

/** Why no calls are made. A closed set: the label of `gate_closed`. */
export const GATE_REASONS = [
  'credentials',
  'account',
  'upstream-down',
  'quota-unavailable',
  'dead-letter-brake',
] as const
export type GateReason = (typeof GATE_REASONS)[number]

/** What a call brought, as far as the gate cares. */
export type CallResult =
  | { readonly kind: 'answered' }
  | { readonly kind: 'blocked'; readonly reason: GateReason }
  | { readonly kind: 'unavailable' }
  /** It was not made after all: its permit came too late. */
  | { readonly kind: 'unsent' }
  /** Says nothing about the account: the quota deals with it. */
  | { readonly kind: 'throttled' }

const LEAST_WAIT_MS = 5_000
const MOST_WAIT_MS = 60_000
const SHARE_OF_TIME_CLOSED = 0.1
/** So many calls in a row without an answer mean the API is down, not one record unlucky. */
const UNAVAILABLE_IN_A_ROW = 20

export class Gate {
  #closed: GateReason | null = null
  #probing = false
  #probeAtMs = 0
  #closedAtMs = 0
  #unavailableInARow = 0

  get closed(): GateReason | null {
    return this.#closed
  }

  /** Milliseconds until a call may start: 0 now, Infinity while a probe is out. */
  waitMs(nowMs: number): number {
    if (this.#closed === null) return 0
    if (this.#probing) return Infinity
    return Math.max(0, this.#probeAtMs - nowMs)
  }

  /** A call starts. True says that it is the probe, to be handed back to {@link report}. */
  started(): boolean {
    this.#probing = this.#closed !== null
    return this.#probing
  }

  /** A call is back. Those that were under way when the gate closed report too: only the probe may open it. */
  report(result: CallResult, wasProbe: boolean, nowMs: number): void {
    if (wasProbe) this.#probing = false
    switch (result.kind) {
      case 'answered':
        this.#unavailableInARow = 0
        if (wasProbe) this.#open()
        return
      case 'throttled':
        // An account that is throttled is an account that is served.
        if (wasProbe) this.#open()
        return
      case 'blocked':
        this.#close(result.reason, nowMs, wasProbe)
        return
      case 'unavailable':
        this.#unavailableInARow += 1
        if (wasProbe || this.#unavailableInARow >= UNAVAILABLE_IN_A_ROW) {
          this.#close('upstream-down', nowMs, wasProbe)
        }
        return
      case 'unsent':
    }
  }

  #open(): void {
    this.#closed = null
    this.#unavailableInARow = 0
  }

  #close(reason: GateReason, nowMs: number, probeFailed: boolean): void {
    if (this.#closed !== null && !probeFailed) return
    if (this.#closed === null) this.#closedAtMs = nowMs
    this.#closed = reason
    const waitMs = (nowMs - this.#closedAtMs) * SHARE_OF_TIME_CLOSED
    this.#probeAtMs = nowMs + Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, waitMs))
  }
}
