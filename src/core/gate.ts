/**
 * The gate: open, or closed with a reason. Pure: it is told the time and what each call brought, and says how long to
 * wait. Closed, it lets one probe through at a time, at growing intervals, and opens by itself when a probe gets an
 * answer of any kind that is not a refusal.
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

const FIRST_PROBE_MS = 5_000
const LAST_PROBE_MS = 60_000
/** So many calls in a row without an answer mean the API is down, not one record unlucky. */
const UNAVAILABLE_IN_A_ROW = 20

export class Gate {
  #closed: GateReason | null = null
  #probing = false
  #probeAtMs = 0
  #backOffMs = FIRST_PROBE_MS
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
    this.#backOffMs = FIRST_PROBE_MS
    this.#unavailableInARow = 0
  }

  #close(reason: GateReason, nowMs: number, probeFailed: boolean): void {
    if (this.#closed !== null && !probeFailed) return
    this.#closed = reason
    this.#probeAtMs = nowMs + this.#backOffMs
    this.#backOffMs = Math.min(this.#backOffMs * 2, LAST_PROBE_MS)
  }
}
