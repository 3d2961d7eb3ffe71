/** Summarizes the figures of a run for `bench/quota.jsonl`, the source of the table in docs/quota.md. */
import type { QuotaRow } from '../../dev/measurements.ts'
import type { Figures } from './promises.ts'

/** Cases that differ only in replicas and backlog share a row with the worst figure of each kind. */
export function rowsOf(played: readonly Figures[]): readonly QuotaRow[] {
  const groups = new Map<string, Figures[]>()
  for (const figures of played) {
    const key = `${figures.mode} ${titleOf(figures)}`
    groups.set(key, [...(groups.get(key) ?? []), figures])
  }
  return [...groups.values()].map(worstOf)
}

function titleOf({ permits, load, what }: Figures): string {
  if (load === 'light') return `N = ${permits}, N/2 events a second`
  return `N = ${permits}${what === '' ? ', any backlog' : `: ${what}`}`
}

function worstOf(cases: readonly Figures[]): QuotaRow {
  const [{ mode, title }] = cases.map((figures) => ({ mode: figures.mode, title: titleOf(figures) })) as [
    Pick<QuotaRow, 'mode' | 'title'>,
  ]
  const waits = cases.flatMap(({ waitP99Ms }) => (waitP99Ms === null ? [] : [waitP99Ms]))
  return {
    title,
    mode,
    maxInASecond: Math.max(...cases.map(({ max }) => max)),
    used: waits.length === 0 ? Math.min(...cases.map(({ used }) => used)) : null,
    waitP99Ms: waits.length === 0 ? null : Math.max(...waits),
    throttled: cases.reduce((sum, { throttled }) => sum + throttled, 0),
  }
}
