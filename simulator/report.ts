/**
 * Counts what the simulator receives. It keeps only counts, and transaction ids up to a limit; it keeps no answers.
 */
import { BusiestSecond } from './window.ts'

export interface SimulatorReport {
  readonly calls: number
  /** By the `Code` of the answer, or the kind of fault. */
  readonly callsByCode: Readonly<Record<string, number>>
  /** Number of transactions by their number of calls. */
  readonly transactionsByCalls: Readonly<Record<string, number>>
  /** Calls in the second that ended with this report, including rejected ones. */
  readonly callsInTheLastSecond: number
  /** Maximum number of calls in any sliding second, including rejected ones. */
  readonly maxCallsInASecond: number
  /** Maximum number of calls admitted by the quota in any sliding second. */
  readonly maxAdmittedInASecond: number
}

const MAX_TRANSACTIONS = 1_000_000

export class CallLog {
  readonly #byCode = new Map<string, number>()
  readonly #byTransaction = new Map<string, number>()
  readonly #arrivals = new BusiestSecond()
  readonly #admitted = new BusiestSecond()
  #calls = 0

  arrived(nowMs: number): void {
    this.#calls += 1
    this.#arrivals.arrived(nowMs)
  }

  admitted(nowMs: number): void {
    this.#admitted.arrived(nowMs)
  }

  answered(code: string): void {
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1)
  }

  /** Counts a call for this transaction, and returns its number. */
  called(transactionId: string): number {
    const calls = (this.#byTransaction.get(transactionId) ?? 0) + 1
    if (calls > 1 || this.#byTransaction.size < MAX_TRANSACTIONS)
      this.#byTransaction.set(transactionId, calls)
    return calls
  }

  callsOf(transactionId: string): number {
    return this.#byTransaction.get(transactionId) ?? 0
  }

  report(nowMs: number): SimulatorReport {
    const transactionsByCalls: Record<string, number> = {}
    for (const calls of this.#byTransaction.values()) {
      transactionsByCalls[calls] = (transactionsByCalls[calls] ?? 0) + 1
    }
    return {
      calls: this.#calls,
      callsByCode: Object.fromEntries(this.#byCode),
      transactionsByCalls,
      callsInTheLastSecond: this.#arrivals.last(nowMs),
      maxCallsInASecond: this.#arrivals.max,
      maxAdmittedInASecond: this.#admitted.max,
    }
  }
}
