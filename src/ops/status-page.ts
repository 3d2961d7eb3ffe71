/** What one replica is doing, for a person to read. */

/** Titles and values: numbers and names of ours, nothing of any record. */
export type Status = Readonly<Record<string, string | number>>

export function statusPage(status: Status): string {
  const rows = [...Object.entries(status), ['more', '/livez /readyz /metrics'] as const]
  const width = Math.max(...rows.map(([title]) => title.length))
  const lines = rows.map(([title, value]) => `${title.padEnd(width)}  ${value}`)
  return ['checkresult-stream', '', ...lines, ''].join('\n')
}
