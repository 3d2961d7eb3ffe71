/**
 * Generates the parts of the chart that come from the service's settings and from the description of its values
 * (`dev/chart`): `node dev/generate-chart.ts`. A test fails if a committed file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { valuesFile, valuesSchema, valuesTable } from './chart/render.ts'
import { RENAMED } from '../src/config/variable-names.ts'
import { settingsFacts } from './chart/settings.ts'
import { chartValues } from './chart/values.ts'

const CHART = new URL('../helm/checkresult-stream/', import.meta.url)
const TABLE = /(?<=<!-- values -->\n).*(?=<!-- \/values -->)/s

export interface GeneratedFile {
  readonly url: URL
  readonly current: string
}

export async function chartFiles(): Promise<readonly GeneratedFile[]> {
  const readme = readFileSync(new URL('README.md', CHART), 'utf8')
  return [
    await generated('values.yaml', 'yaml', valuesFile(chartValues)),
    await generated('values.schema.json', 'json', JSON.stringify(valuesSchema(chartValues))),
    await generated('files/settings.json', 'json', JSON.stringify(settingsFacts())),
    await generated('files/renamed.json', 'json', JSON.stringify(RENAMED)),
    await generated(
      'README.md',
      'markdown',
      readme.replace(TABLE, () => `\n${valuesTable(chartValues)}\n\n`),
    ),
  ]
}

async function generated(path: string, parser: string, text: string): Promise<GeneratedFile> {
  const url = new URL(path, CHART)
  return { url, current: await format(text, { ...(await resolveConfig(url)), parser }) }
}

if (import.meta.main) for (const { url, current } of await chartFiles()) writeFileSync(url, current)
