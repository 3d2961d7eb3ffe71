/** Numbers and bars in words and characters. Pure. */

export function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((part / whole) * 100).toFixed(1)} %`
}

export function milliseconds(ms: number | null): string {
  if (ms === null) return '-'
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

export function bar(part: number, whole: number, width: number): string {
  const filled = whole === 0 ? 0 : Math.round((Math.min(part, whole) / whole) * width)
  return '█'.repeat(filled) + '░'.repeat(width - filled)
}

/** The least value that is not below the given share of all; null of none. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}

/** `HONG_KONG_IDENTITY_CARD` as `Hong Kong identity card`: names of places keep their capitals. */
export function inWords(symbol: string): string {
  const text = symbol.toLowerCase().replaceAll('_', ' ')
  const named = text.replace(/hong kong|macao|taiwan/g, (place) => place.replace(/\b\w/g, upper))
  return named.replace(/^\w/, upper)
}

function upper(letter: string): string {
  return letter.toUpperCase()
}

/** Days since 1970-01-01 as a date. */
export function dateOfDays(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10)
}
