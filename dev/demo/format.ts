/** Formats numbers and bars as text. Pure. */

export function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((part / whole) * 100).toFixed(1)} %`
}

export function milliseconds(ms: number | null): string {
  if (ms === null) return '-'
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

export function bar(part: number, whole: number, width: number): string {
  const filled = whole === 0 ? 0 : Math.floor((Math.min(part, whole) / whole) * width)
  return '█'.repeat(filled) + '░'.repeat(width - filled)
}

/** The smallest value that is at least as large as the given share of all values; null if there are none. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}

/** Joins the parts into lines of at most `width` characters. A longer part gets a line of its own. */
export function wrapped(parts: readonly string[], separator: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.pop()
    const longer = `${last}${separator}${part}`
    if (last === undefined) lines.push(part)
    else if (longer.length <= width) lines.push(longer)
    else lines.push(last, part)
  }
  return lines
}

/** Days since 1970-01-01 as a date. */
export function dateOfDays(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10)
}
