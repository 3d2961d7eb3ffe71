/** THIRD_PARTY.md from the lock file: `node dev/generate-licences.ts` rewrites it. A test sees to it that it is current. */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { thirdParties } from './licences.ts'

const FILE = new URL('../THIRD_PARTY.md', import.meta.url)

const HEAD = `# What the service runs on

Packages of the lock file without those for development; their licences lie beside them in the image. Made by
\`node dev/generate-licences.ts\`; which licences are allowed stands in \`dev/licences.ts\`, and a test refuses others.
`

export async function licenceList(): Promise<string> {
  const rows = thirdParties().map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`)
  const table = ['| package | version | licence |', '| --- | --- | --- |', ...rows].join('\n')
  const options = await resolveConfig(FILE)
  return format(`${HEAD}\n${table}\n`, { ...options, parser: 'markdown' })
}

export function committedList(): string {
  return readFileSync(FILE, 'utf8')
}

if (import.meta.main) writeFileSync(FILE, await licenceList())
