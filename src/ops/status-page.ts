/** The status page: what one replica is doing, as plain text. */

/** Titles and values. Only our own numbers and names, nothing from a record. */
export type Status = Readonly<Record<string, string | number>>

export function statusPage(status: Status): string {
  const rows = [...Object.entries(status), ['more', '/livez /readyz /metrics'] as const]
  const width = Math.max(...rows.map(([title]) => title.length))
  const lines = rows.map(([title, value]) => `${title.padEnd(width)}  ${value}`)
  return ['checkresult-stream', '', ...lines, ''].join('\n')
}
