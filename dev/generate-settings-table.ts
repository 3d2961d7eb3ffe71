/**
 * The README's table of settings, from their schema: `node dev/generate-settings-table.ts` rewrites what stands between
 * the two markers. A test sees to it that the committed README is current.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { settingsTable } from '../src/config/describe.ts'

const README = new URL('../README.md', import.meta.url)
const SECTION = /(?<=<!-- settings -->\n).*(?=<!-- \/settings -->)/s

/** The README as it is, and as it should be. */
export async function readme(): Promise<{ readonly found: string; readonly current: string }> {
  const found = readFileSync(README, 'utf8')
  if (!SECTION.test(found))
    throw new Error('README.md has no section between <!-- settings --> and <!-- /settings -->.')
  const options = await resolveConfig(README)
  const replaced = found.replace(SECTION, () => `\n${settingsTable()}\n\n`)
  return { found, current: await format(replaced, { ...options, parser: 'markdown' }) }
}

if (import.meta.main) writeFileSync(README, (await readme()).current)
