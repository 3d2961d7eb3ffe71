/**
 * How far this machine's clock is off, measured against the `Date` header of the API's answers. Pure: it is told our time
 * before and after an answer. The API read its clock in between and wrote whole seconds, so the offset is known as an interval.
 */
const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** The API refuses a call whose time is further from its own. */
export const MAX_OFFSET_MS = 15 * MINUTE_MS

export class ApiClock {
  #date = ''
  #askedMs = 0
  #answeredMs = 0

  /** Kept as it came and read only when somebody asks: this is called for every answer. Both times are epoch milliseconds. */
  saw(date: string, askedMs: number, answeredMs: number): void {
    this.#date = date
    this.#askedMs = askedMs
    this.#answeredMs = answeredMs
  }

  /** Our clock minus the API's, as little as the latest answer allows for; null before there was one with a date. */
  get offsetMs(): number | null {
    const dateMs = parseHttpDate(this.#date)
    if (dateMs === null) return null
    const min = this.#askedMs - dateMs - SECOND_MS
    const max = this.#answeredMs - dateMs
    if (min > 0) return min
    return Math.min(0, max)
  }

  /** The API refuses calls from such a clock. */
  get isOff(): boolean {
    return Math.abs(this.offsetMs ?? 0) >= MAX_OFFSET_MS - SECOND_MS
  }

  /** How far it is off and in which direction, in one message. */
  get description(): string {
    const { offsetMs } = this
    if (offsetMs === null) return 'The offset between the clocks of this machine and the API is unknown.'
    if (Math.abs(offsetMs) < SECOND_MS) return 'The clock of this machine agrees with the clock of the API.'
    const direction = offsetMs > 0 ? 'ahead of' : 'behind'
    return `The clock of this machine is ${duration(Math.abs(offsetMs))} ${direction} the clock of the API.`
  }
}

const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w :-]{10,40}$/

/** Epoch milliseconds of the three forms of RFC 9110; null for anything else. */
export function parseHttpDate(text: string): number | null {
  if (!HTTP_DATE.test(text)) return null
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? null : ms
}

/** In the largest units that matter, rounded: `2 h`, `1 h 12 min`, `40 s`. */
function duration(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS)
  if (minutes === 0) return `${Math.round(ms / SECOND_MS)} s`
  const hours = Math.floor(minutes / (HOUR_MS / MINUTE_MS))
  const rest = minutes % (HOUR_MS / MINUTE_MS)
  return [hours > 0 ? `${hours} h` : '', rest > 0 ? `${rest} min` : '']
    .filter((part) => part !== '')
    .join(' ')
}
