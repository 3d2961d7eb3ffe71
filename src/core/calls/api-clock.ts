/**
 * Measures how far this machine's clock is off, using the `Date` header of the API's answers. Pure: callers pass our
 * time before and after a call. The API read its clock in between and sent whole seconds, so the offset is known as an
 * interval.
 */
const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** The API rejects a call whose timestamp differs more than this from its own clock. */
export const MAX_OFFSET_MS = 15 * MINUTE_MS

export class ApiClock {
  #date = ''
  #askedMs = 0
  #answeredMs = 0

  /** Stores the header unparsed, because this is called for every answer. Both times are epoch milliseconds. */
  record(date: string, askedMs: number, answeredMs: number): void {
    this.#date = date
    this.#askedMs = askedMs
    this.#answeredMs = answeredMs
  }

  /**
   * Our clock minus the API's: the smallest offset that fits the latest answer; null before the first answer with a
   * date.
   */
  get offsetMs(): number | null {
    const dateMs = parseHttpDate(this.#date)
    if (dateMs === null) return null
    const min = this.#askedMs - dateMs - SECOND_MS
    const max = this.#answeredMs - dateMs
    if (min > 0) return min
    return Math.min(0, max)
  }

  /** Whether the API rejects calls because of this machine's clock. */
  get isOff(): boolean {
    return Math.abs(this.offsetMs ?? 0) >= MAX_OFFSET_MS - SECOND_MS
  }

  /** How far the clock is off and in which direction, as a message for the operator. */
  get description(): string {
    const { offsetMs } = this
    if (offsetMs === null) return 'The offset between the clocks of this machine and the API is unknown.'
    if (Math.abs(offsetMs) < SECOND_MS) return 'The clock of this machine agrees with the clock of the API.'
    const direction = offsetMs > 0 ? 'ahead of' : 'behind'
    return `The clock of this machine is ${duration(Math.abs(offsetMs))} ${direction} the clock of the API.`
  }
}

const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w :-]{10,40}$/

/** Epoch milliseconds of any of the three date formats of RFC 9110; null for anything else. */
export function parseHttpDate(text: string): number | null {
  if (!HTTP_DATE.test(text)) return null
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? null : ms
}

/** Rounded to the largest useful units: `2 h`, `1 h 12 min`, `40 s`. */
function duration(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS)
  if (minutes === 0) return `${Math.round(ms / SECOND_MS)} s`
  const hours = Math.floor(minutes / (HOUR_MS / MINUTE_MS))
  const rest = minutes % (HOUR_MS / MINUTE_MS)
  return [hours > 0 ? `${hours} h` : '', rest > 0 ? `${rest} min` : '']
    .filter((part) => part !== '')
    .join(' ')
}
