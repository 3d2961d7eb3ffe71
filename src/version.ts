/** Name and version of the service, for logs, metrics and dead letters. */
import { readFileSync } from 'node:fs'

const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  name: string
  version: string
}

export const NAME = name
export const VERSION = version
/** The commit, if the build provides it. */
export const REVISION = process.env['CHECKRESULT_REVISION'] ?? 'unknown'
