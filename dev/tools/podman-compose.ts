/** podman-compose runs compose files with podman, without a daemon. */
import { join } from 'node:path'
import { installPython, provide } from './install.ts'

const VERSION = '1.6.0'
const NEEDS = ['python-dotenv==1.2.2', 'PyYAML==6.0.3']

/** The program's path, for `python3`. Throws a ToolError if it is not available. */
export async function podmanCompose(): Promise<string> {
  const directory = await provide({
    id: `podman-compose-${VERSION}`,
    install: async (into) => {
      for (const requirement of [`podman-compose==${VERSION}`, ...NEEDS])
        await installPython(requirement, into)
    },
  })
  return join(directory, 'podman_compose.py')
}
