/** Builds our image from the Dockerfile on stand-in bases, in OCI format. The same input gives the same image. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NAME } from '../../src/version.ts'
import { call } from '../tools/install.ts'
import { provideBases } from './bases.ts'
import type { Engine } from './engine.ts'

export const IMAGE = 'localhost/checkresult-stream/service:test'
export const SIMULATOR_IMAGE = 'localhost/checkresult-stream/simulator:test'

export interface BuildOptions {
  readonly tag?: string
  /** A stage of the Dockerfile. Default: the last one, which is the service. */
  readonly target?: 'simulator'
  /** Contains the Dockerfile and the files it copies. Default: our own checkout. */
  readonly context?: string
  readonly revision?: string
  /** Default: Docker's. OCI's format has no health check, but Docker's contains a random name from the build. */
  readonly format?: 'docker' | 'oci'
}

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const HOST_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Returns the image's id. Every step is run again, because buildah's cache confuses images that differ only in build
 * arguments. Throws a ToolError with the end of the build's output.
 */
export async function buildImage(engine: Engine, options: BuildOptions = {}): Promise<string> {
  const { tag = IMAGE, target, context = CHECKOUT, revision = 'unknown', format = 'docker' } = options
  const bases = await provideBases(engine)
  const scratch = await mkdtemp(join(tmpdir(), 'checkresult-build-'))
  try {
    await engine.buildah(
      'build',
      '-q',
      '--isolation=chroot',
      '--pull-never',
      `--format=${format}`,
      '--timestamp=0',
      `--build-arg=NODE_IMAGE=${bases.node}`,
      `--build-arg=RUNTIME_IMAGE=${bases.runtime}`,
      `--build-arg=REVISION=${revision}`,
      ...(await npmOfThisMachine(scratch)),
      ...(target === undefined ? [] : [`--target=${target}`]),
      `--tag=${tag}`,
      context,
    )
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  // The image that had the tag before is untagged now and no longer needed.
  await engine.podman('image', 'prune', '--force', '--filter', `label=org.opencontainers.image.title=${NAME}`)
  return (await engine.podman('image', 'inspect', '--format', '{{.Id}}', tag)).trim()
}

/**
 * npm in the build uses this machine's registry and certificates. They are mounted, so the image does not contain
 * them.
 */
async function npmOfThisMachine(scratch: string): Promise<string[]> {
  const registry = (await call('npm', ['config', 'get', 'registry'])).trim()
  const settings = join(scratch, 'npmrc')
  const trusted = existsSync(HOST_CERTIFICATES)
  await writeFile(settings, `registry=${registry}\n${trusted ? `cafile=${HOST_CERTIFICATES}\n` : ''}`)
  const mounts = [`${settings}:/usr/local/etc/npmrc:ro`]
  if (trusted) mounts.push(`${HOST_CERTIFICATES}:${HOST_CERTIFICATES}:ro`)
  return mounts.map((mount) => `--volume=${mount}`)
}
