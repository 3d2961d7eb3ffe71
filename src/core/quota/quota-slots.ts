/**
 * This replica's slots of a quota that is counted in Redis: times in the near future that allow one call each. A slot
 * is not bound to a record. Pure: callers pass the monotonic time and Redis's answers.
 *
 * A slot may be used once its time has certainly come and at most `lateMs` after that. Redis reserves its ring index
 * for one second plus the guard plus `lateMs`. The next request reports when the call was sent, and from then on the
 * index is reserved for one second plus the guard after that moment. So two calls with the same index are always more
 * than a second plus the guard apart, however long the event loop stalls, and a late call only costs its own delay. A
 * slot that has passed can be moved to the present by Redis; otherwise it is wasted.
 */
import { ServerClock } from '../calls/server-clock.ts'

export interface QuotaSlotsOptions {
  readonly guardMs: number
  readonly burst: number
  /** In [0, 1). Spreads the retries of replicas that received the same `retryAfterMs`. */
  readonly random: () => number
  readonly onWasted: (slots: number) => void
}

export interface SlotRequest {
  readonly want: number
  /** How long a call reserves its ring index, from the time it was sent. */
  readonly holdMs: number
  readonly lateMs: number
  /** Ring indexes of slots that have passed. */
  readonly moved: readonly number[]
  readonly made: readonly MadeCall[]
  /** The ring epoch in which the server's clock was seen to jump; null if it was not. */
  readonly jumpedIn: number | null
}

export interface MadeCall {
  readonly ringIndex: number
  /** The latest possible time on the server's clock, in milliseconds since the epoch. */
  readonly atMs: number
}

/** All times are milliseconds since the epoch on the server's clock. */
export interface SlotAnswer {
  readonly nowMs: number
  readonly limit: number
  readonly ringEpoch: number
  /** How long further requests are pointless; 0 if they are not. */
  readonly retryAfterMs: number
  readonly firstRingIndex: number
  readonly slotsMs: readonly number[]
  /** The new times of the passed slots; 0 for a slot that could not be moved. */
  readonly movedMs: readonly number[]
}

/** Monotonic times. */
export interface AnswerTimes {
  readonly askedMs: number
  readonly answeredMs: number
}

interface Slot {
  readonly ringIndex: number
  /** Monotonic time. The slot's time has certainly come at `dueMs` and cannot have come before `earliestMs`. */
  readonly earliestMs: number
  readonly dueMs: number
  readonly lateMs: number
}

/** Redis hands out no slot further ahead than this: `AHEAD` in reserve.lua. */
export const AHEAD_MS = 250
const WINDOW_MS = 1_000
/**
 * Longer than most stalls. A slot that is missed by more must be moved, which takes a round trip; a larger value would
 * count unused slots for longer.
 */
const LATE_MS = 50
/** A server clock with more uncertainty than this is treated as unusable. */
const MAX_LATE_MS = 500
/** How far ahead slots are reserved while enough records wait: longer than a round trip plus a short stall. */
const LEAD_MS = 100
const MAX_AT_ONCE = 1_000
/**
 * If calls follow each other this closely, slots are also reserved for the next calls, so that they need not wait for a
 * round trip. They will be used long before they pass.
 */
const FREQUENT_CALLS_MS = 25
const MAX_SPARE = 2
/** A slot that passed longer ago was not needed at the time, and its ring index may be in use again. */
const MOVABLE_MS = 500
/** Much less than `AHEAD_MS`, so that a replica that retries this much later still gets the same slot. */
const SPREAD_MS = 50

export class QuotaSlots {
  readonly #options: QuotaSlotsOptions
  #clock = new ServerClock()
  #held: Slot[] = []
  #passed: Slot[] = []
  /** Slots that were taken but whose calls are not sent yet, by the time they were taken. */
  readonly #taken = new Map<number, readonly Slot[]>()
  #limit = 1
  /** The times of the latest takes. */
  #lastTaken: readonly number[] = []
  #askFromMs = Infinity
  #jumpedIn: number | null = null
  #made: MadeCall[] = []

  constructor(options: QuotaSlotsOptions) {
    this.#options = options
  }

  /** A request that reserves nothing and only reads the state. */
  statusRequest(): SlotRequest {
    return { want: 0, ...this.#bounds(0), moved: [], made: [], jumpedIn: null }
  }

  /**
   * Called after connecting and reading the state. No slots are requested until every slot that may have been reserved
   * before is over, because Redis may have been emptied, or replaced by a server that does not know the latest slots.
   */
  connected(connectedMs: number, answer: SlotAnswer, times: AnswerTimes): void {
    this.#clock = new ServerClock()
    this.#clock.update({ ...times, shownMs: answer.nowMs })
    this.#limit = answer.limit
    this.#jumpedIn = null
    this.#made = []
    const { holdMs, lateMs } = this.#bounds(times.answeredMs)
    this.#askFromMs = connectedMs + AHEAD_MS + lateMs + holdMs
  }

  /** Slots that are already reserved stay valid, because they were counted. */
  disconnected(): void {
    this.#askFromMs = Infinity
  }

  /**
   * Takes a slot and returns 0. Otherwise returns the milliseconds until a slot is due or may be requested; Infinity if
   * that is unknown.
   */
  take(nowMs: number): number {
    this.#dropPassed(nowMs)
    const [next] = this.#held
    if (next === undefined) return this.#askFromMs > nowMs ? this.#askFromMs - nowMs : Infinity
    if (next.dueMs > nowMs) return next.dueMs - nowMs
    this.#held.shift()
    this.#lastTaken = [nowMs, ...this.#lastTaken.slice(0, MAX_SPARE)]
    this.#taken.set(nowMs, [...(this.#taken.get(nowMs) ?? []), next])
    return 0
  }

  /**
   * Whether the slot taken at `takenMs` is still valid for a call that is sent now. If not, the call must not be sent,
   * and the slot may be moved.
   */
  confirm(takenMs: number, nowMs: number): boolean {
    const [slot, ...others] = this.#taken.get(takenMs) ?? []
    if (slot === undefined) return false
    if (others.length === 0) this.#taken.delete(takenMs)
    else this.#taken.set(takenMs, others)
    if (isPassed(slot, nowMs)) {
      this.#passed.push(slot)
      return false
    }
    this.#made.push({ ringIndex: slot.ringIndex, atMs: this.#clock.maxShownMs(nowMs) })
    return true
  }

  /**
   * The request to send if `waiting` calls could be made now; null for none. Must be followed by `answered` or
   * `unanswered`.
   */
  request(nowMs: number, waiting: number): SlotRequest | null {
    this.#dropPassed(nowMs)
    const missing = Math.min(waiting + this.#spare(nowMs) - this.#held.length, MAX_AT_ONCE)
    if (missing <= 0 || nowMs < this.#askFromMs) return null
    const bounds = this.#bounds(nowMs)
    const moved = this.#toMove(nowMs, missing)
    const want = Math.min(missing - moved.length, this.#missingAhead(nowMs, bounds.holdMs))
    if (want <= 0 && moved.length === 0) return null
    const [made, jumpedIn] = [this.#made, this.#jumpedIn]
    this.#made = []
    this.#jumpedIn = null
    return { want, ...bounds, moved, made, jumpedIn }
  }

  answered(request: SlotRequest, answer: SlotAnswer, times: AnswerTimes): void {
    this.#limit = answer.limit
    const got = [
      ...answer.slotsMs.map((atMs, index) => ({ ringIndex: answer.firstRingIndex + index, atMs })),
      ...answer.movedMs.map((atMs, index) => ({ ringIndex: request.moved[index] ?? 0, atMs })),
    ]
    const isSteady = this.#clock.update({ ...times, shownMs: answer.nowMs })
    // Redis cannot know how much of the last second its clock skipped, so the ring must start again.
    if (!isSteady) this.#jumpedIn = answer.ringEpoch
    const good = isSteady ? got.filter(({ atMs }) => atMs > 0) : []
    this.#waste(got.length - good.length)
    for (const { ringIndex, atMs } of good) {
      const { earliestMs, latestMs } = this.#clock.bounds(atMs)
      this.#held.push({ ringIndex, earliestMs, dueMs: latestMs, lateMs: request.lateMs })
    }
    this.#held.sort((one, other) => one.dueMs - other.dueMs)
    const waitMs = answer.retryAfterMs === 0 ? 0 : answer.retryAfterMs + this.#options.random() * SPREAD_MS
    this.#askFromMs = times.answeredMs + waitMs
  }

  /** No answer was received. Slots that Redis may have reserved stay unused. */
  unanswered(request: SlotRequest): void {
    this.#waste(request.moved.length)
  }

  #bounds(nowMs: number): { readonly holdMs: number; readonly lateMs: number } {
    const uncertaintyMs = this.#clock.uncertaintyMs(nowMs)
    const lateMs = Math.min(LATE_MS + (uncertaintyMs === Infinity ? 0 : uncertaintyMs), MAX_LATE_MS)
    return { holdMs: WINDOW_MS + this.#options.guardMs, lateMs }
  }

  /** The number of recent takes, without the latest one. */
  #spare(nowMs: number): number {
    return Math.max(0, this.#lastTaken.filter((takenMs) => nowMs - takenMs <= FREQUENT_CALLS_MS).length - 1)
  }

  #dropPassed(nowMs: number): void {
    while (this.#held[0] !== undefined && isPassed(this.#held[0], nowMs)) {
      this.#passed.push(...this.#held.splice(0, 1))
    }
  }

  /** Ring indexes of the passed slots that are worth moving. The others are wasted. */
  #toMove(nowMs: number, missing: number): number[] {
    const max = Math.min(missing, this.#options.burst)
    const passed = this.#passed.filter(({ dueMs }) => nowMs - dueMs < MOVABLE_MS).slice(-max)
    this.#waste(this.#passed.length - passed.length)
    this.#passed = []
    return passed.map(({ ringIndex }) => ringIndex)
  }

  /** How many more slots are needed to reach far enough ahead. */
  #missingAhead(nowMs: number, holdMs: number): number {
    const aheadMs = Math.max(0, (this.#held.at(-1)?.dueMs ?? nowMs) - nowMs)
    if (this.#held.length > 0 && aheadMs > LEAD_MS / 2) return 0
    return Math.max(1, Math.ceil((LEAD_MS - aheadMs) / (holdMs / this.#limit)))
  }

  #waste(slots: number): void {
    if (slots > 0) this.#options.onWasted(slots)
  }
}

function isPassed({ earliestMs, lateMs }: Slot, nowMs: number): boolean {
  return nowMs - earliestMs > lateMs
}
