/** Durations as texts with a unit, such as `90s` or `6h`. Parsing never throws. */

export interface Duration {
  readonly text: string
  readonly ms: number
}

/** A regular expression without anchors. */
export const DURATION = '([1-9][0-9]{0,8})(ms|s|m|h|d)'

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Zero, with or without a unit. A regular expression without anchors. */
export const ZERO = '0(ms|s|m|h|d)?'

/** NaN if the text is not a duration. */
export function durationMs(text: string): number {
  return ZERO_FORM.test(text) ? 0 : (parseDuration(text)?.ms ?? Number.NaN)
}

/** In the largest unit of ms, s, m and h that needs no fraction. */
export function formatDuration(ms: number): string {
  const unit = (['h', 'm', 's'] as const).find((one) => ms > 0 && ms % (UNIT_MS[one] ?? 1) === 0) ?? 'ms'
  return `${ms / (UNIT_MS[unit] ?? 1)}${unit}`
}

const ZERO_FORM = new RegExp(`^${ZERO}$`)
const FORM = new RegExp(`^${DURATION}$`)

export function parseDuration(text: string): Duration | undefined {
  const [, amount, unit] = FORM.exec(text) ?? []
  const unitMs = UNIT_MS[unit ?? '']
  return amount === undefined || unitMs === undefined ? undefined : { text, ms: Number(amount) * unitMs }
}
