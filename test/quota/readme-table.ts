/**
 * The README's table of what the rig measured, from the report of its last run: `node test/quota/readme-table.ts` rewrites
 * what stands between the two markers.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { QUOTA_MODES } from '../../src/core/quota-mode.ts'
import { percent, type Figures } from './promises.ts'
import { FILE } from './report.ts'

const README = new URL('../../README.md', import.meta.url)
const SECTION = /(?<=<!-- quota -->\n).*(?=<!-- \/quota -->)/s

/** Cases that differ in nothing but replicas and backlog share a row, which shows the worst of each. */
export function tableOf(played: readonly Figures[]): string {
  const rows = new Map<string, Figures[]>()
  for (const figures of played) rows.set(titleOf(figures), [...(rows.get(titleOf(figures)) ?? []), figures])
  const head = QUOTA_MODES.flatMap((mode) => [`${mode}: most in any second`, 'used', 'throttled'])
  const lines = [...rows].map(([title, cases]) =>
    [title].concat(QUOTA_MODES.flatMap((mode) => cellsOf(cases, mode))),
  )
  return [['', ...head], Array.from({ length: head.length + 1 }, () => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('')
}

function titleOf({ permits, load, what }: Figures): string {
  if (load === 'light') return `N = ${permits}, N/2 come`
  return `N = ${permits}${what === '' ? ', each backlog' : `: ${what}`}`
}

function cellsOf(cases: readonly Figures[], mode: string): string[] {
  const ofMode = cases.filter((figures) => figures.mode === mode)
  if (ofMode.length === 0) return ['', '', '']
  const waits = ofMode.flatMap(({ waitP99Ms }) => (waitP99Ms === null ? [] : [waitP99Ms]))
  const used = percent(Math.min(...ofMode.map((figures) => figures.used)))
  return [
    String(Math.max(...ofMode.map(({ most }) => most))),
    waits.length === 0 ? used : `a permit in ${Math.max(...waits)} ms (p99)`,
    String(ofMode.reduce((sum, { throttled }) => sum + throttled, 0)),
  ]
}

async function rewrite(): Promise<void> {
  const found = readFileSync(README, 'utf8')
  if (!SECTION.test(found))
    throw new Error('README.md has no section between <!-- quota --> and <!-- /quota -->.')
  const { cases } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly cases: readonly Figures[] }
  const replaced = found.replace(SECTION, () => `\n${tableOf(cases)}\n`)
  const options = await resolveConfig(README)
  writeFileSync(README, await format(replaced, { ...options, parser: 'markdown' }))
}

if (import.meta.main) await rewrite()
