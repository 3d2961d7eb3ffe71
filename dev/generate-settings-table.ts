/**
 * The table of settings in docs/settings.md, generated from their schema: `node dev/generate-settings-table.ts` rewrites it.
 * A test fails if the committed table is out of date.
 */
import { writeFileSync } from 'node:fs'
import { settingsTable } from '../src/config/describe.ts'
import { generatePage, type GeneratedPage } from './generated-section.ts'

const PAGE = new URL('../docs/settings.md', import.meta.url)

export function settingsPage(): Promise<GeneratedPage> {
  return generatePage(PAGE, { settings: settingsTable() })
}

if (import.meta.main) writeFileSync(PAGE, (await settingsPage()).current)
