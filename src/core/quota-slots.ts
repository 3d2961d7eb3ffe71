/**
 * This replica's slots of a quota that is counted elsewhere: times in the near future, each good for one call, whoever
 * waits for it. Pure: it is told the monotonic time and what was answered, and says what to ask for.
 *
 * A slot is used when its time has surely come, and not when it may have passed by more than `lateMs`. The counter keeps its
 * place for a second, the guard and that long, until it is told when the call went out, with the next request: from then on
 * for a second and the guard from that moment. So calls of two slots that share a place are more than a second and the guard
 * apart, however long the event loop stood still, and a late call costs what it was late and no more. A slot that has passed
 * may be moved to now, by the counter alone; else it is wasted.
 */
import { ServerClock } from './server-clock.ts'

export interface QuotaSlotsOptions {
  readonly guardMs: number
  readonly burst: number
  /** From 0 up to 1: replicas that are told to come again at the same time do not all come at once. */
  readonly random: () => number
  readonly onWasted: (slots: number) => void
}

export interface SlotRequest {
  readonly want: number
  /** How long a call is to keep its place from when it was made. */
  readonly holdMs: number
  readonly lateMs: number
  /** Places of slots that have passed. */
  readonly moved: readonly number[]
  readonly made: readonly MadeCall[]
  /** The ring's life in which the clock was seen to jump; null where it was not. */
  readonly jumpedIn: number | null
}

export interface MadeCall {
  readonly ringIndex: number
  /** Of the counter's clock, in milliseconds since the epoch: not later than that. */
  readonly atMs: number
}

/** Times of the counter's clock in milliseconds since the epoch. */
export interface SlotAnswer {
  readonly nowMs: number
  readonly limit: number
  readonly ringEpoch: number
  /** 0, or how long it is no use to ask for more. */
  readonly retryAfterMs: number
  readonly firstRingIndex: number
  readonly slotsMs: readonly number[]
  /** Where the passed slots are now; 0 for one that could not be moved. */
  readonly movedMs: readonly number[]
}

/** Monotonic. */
export interface AnswerTimes {
  readonly askedMs: number
  readonly answeredMs: number
}

interface Slot {
  readonly ringIndex: number
  /** Monotonic: the slot's time has surely come at `dueMs`, and was not before `earliestMs`. */
  readonly earliestMs: number
  readonly dueMs: number
  readonly lateMs: number
}

/** No slot is handed out further ahead: `AHEAD` of reserve.lua. */
export const AHEAD_MS = 250
const WINDOW_MS = 1_000
/** Longer than most stalls. A slot missed by more is moved, which takes a round trip; one that nobody uses is counted for longer. */
const LATE_MS = 50
/** A counter so far away is out of use, not late. */
const MAX_LATE_MS = 500
/** So far ahead slots are fetched while enough wait for them: longer than a round trip and a short stall. */
const LEAD_MS = 100
const MAX_AT_ONCE = 1_000
/**
 * Where calls come so soon after one another, slots are fetched for the next ones too, so that none waits for a round trip:
 * the next will come long before they pass.
 */
const OFTEN_MS = 25
const MAX_SPARE = 2
/** Longer ago a slot was passed over because nobody waited, and its place may be another's by now. */
const MOVABLE_MS = 500
/** Far less than `AHEAD_MS`: who comes so much later gets the same slot. */
const SPREAD_MS = 50

export class QuotaSlots {
  readonly #options: QuotaSlotsOptions
  #clock = new ServerClock()
  #held: Slot[] = []
  #passed: Slot[] = []
  /** By when they were taken: those whose calls have not gone out yet. */
  readonly #taken = new Map<number, readonly Slot[]>()
  #limit = 1
  /** When the last ones were taken. */
  #lastTaken: readonly number[] = []
  #askFromMs = Infinity
  #jumpedIn: number | null = null
  #made: MadeCall[] = []

  constructor(options: QuotaSlotsOptions) {
    this.#options = options
  }

  /** What to ask for before anything is wanted. */
  look(): SlotRequest {
    return { want: 0, ...this.#bounds(0), moved: [], made: [], jumpedIn: null }
  }

  /**
   * A connection was made, and the counter looked at. Nothing is asked for until all is over that may have been handed out
   * before: the counter may have been emptied, or another have taken its place that knows nothing of the last slots.
   */
  connected(connectedMs: number, answer: SlotAnswer, times: AnswerTimes): void {
    this.#clock = new ServerClock()
    this.#clock.see({ ...times, shownMs: answer.nowMs })
    this.#limit = answer.limit
    this.#jumpedIn = null
    this.#made = []
    const { holdMs, lateMs } = this.#bounds(times.answeredMs)
    this.#askFromMs = connectedMs + AHEAD_MS + lateMs + holdMs
  }

  /** Slots at hand stay good: they are counted, wherever that was. */
  disconnected(): void {
    this.#askFromMs = Infinity
  }

  /** 0 takes a slot; else the milliseconds until one is due or may be asked for; Infinity while that is not known. */
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

  /** Whether the slot taken at `takenMs` is still good for a call that goes out now. If not, none goes out, and it may move. */
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

  /** What to ask for when `waiting` calls could be made now; null for nothing. To be followed by one of the next two. */
  request(nowMs: number, waiting: number): SlotRequest | null {
    this.#dropPassed(nowMs)
    const missing = Math.min(waiting + this.#spare(nowMs) - this.#held.length, MAX_AT_ONCE)
    if (missing <= 0 || nowMs < this.#askFromMs) return null
    const bounds = this.#bounds(nowMs)
    const moved = this.#toMove(nowMs, missing)
    const want = Math.min(missing - moved.length, this.#toLead(nowMs, bounds.holdMs))
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
    const isSteady = this.#clock.see({ ...times, shownMs: answer.nowMs })
    // The counter cannot know how much of the last second its clock has left out: it is to begin anew.
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

  /** No answer came. What it may have handed out nobody will use. */
  unanswered(request: SlotRequest): void {
    this.#waste(request.moved.length)
  }

  #bounds(nowMs: number): { readonly holdMs: number; readonly lateMs: number } {
    const uncertaintyMs = this.#clock.uncertaintyMs(nowMs)
    const lateMs = Math.min(LATE_MS + (uncertaintyMs === Infinity ? 0 : uncertaintyMs), MAX_LATE_MS)
    return { holdMs: WINDOW_MS + this.#options.guardMs, lateMs }
  }

  /** As many as were taken lately, but for the last one. */
  #spare(nowMs: number): number {
    return Math.max(0, this.#lastTaken.filter((takenMs) => nowMs - takenMs <= OFTEN_MS).length - 1)
  }

  #dropPassed(nowMs: number): void {
    while (this.#held[0] !== undefined && isPassed(this.#held[0], nowMs)) {
      this.#passed.push(...this.#held.splice(0, 1))
    }
  }

  /** The places of the passed slots that are worth moving; the others are wasted. */
  #toMove(nowMs: number, missing: number): number[] {
    const max = Math.min(missing, this.#options.burst)
    const passed = this.#passed.filter(({ dueMs }) => nowMs - dueMs < MOVABLE_MS).slice(-max)
    this.#waste(this.#passed.length - passed.length)
    this.#passed = []
    return passed.map(({ ringIndex }) => ringIndex)
  }

  /** How many more slots reach as far ahead as they should. */
  #toLead(nowMs: number, holdMs: number): number {
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
