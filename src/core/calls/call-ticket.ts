/**
 * The right to make one call. The permit queue grants it, the client confirms it right before it writes the first byte of
 * the call, and the pipeline releases it with the call's result.
 */
import type { Call, CallResult } from './circuit-breaker.ts'
import type { Blame, RefusedRecord } from './refusals.ts'

/** The permit queue, as its tickets see it. */
export interface TicketIssuer {
  confirmed(ticket: CallTicket): boolean
  released(ticket: CallTicket, result: CallResult): Blame
}

export class CallTicket implements Call {
  readonly #issuer: TicketIssuer
  readonly startedMs: number
  readonly isProbe: boolean
  record: RefusedRecord | null = null
  #isConfirmed = false

  constructor(issuer: TicketIssuer, startedMs: number, isProbe: boolean) {
    this.#issuer = issuer
    this.startedMs = startedMs
    this.isProbe = isProbe
  }

  /**
   * Must be called right before the first byte of the call is written. If it returns false, nothing may be written, and
   * the ticket must be released as unsent.
   */
  confirm(): boolean {
    this.#isConfirmed = true
    return this.#issuer.confirmed(this)
  }

  /**
   * Must be called exactly once, when the call has returned. `record` has the record's earlier rejections. The return
   * value says who caused a rejection; it has no meaning for other results.
   */
  release(result: CallResult, record: RefusedRecord | null = null): Blame {
    // A call that failed before it was written counts as made, because the server may have seen some of it.
    if (!this.#isConfirmed) this.confirm()
    this.record = record
    return this.#issuer.released(this, result)
  }
}
