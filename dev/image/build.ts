/** Our image, made by the Dockerfile on stand-in bases: the same input makes the same image, in OCI's format. */
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

export interface BuildOptions {
  readonly tag?: string
  /** Holds the Dockerfile and what it copies; our own checkout unless told otherwise. */
  readonly context?: string
  readonly revision?: string
  /** Docker's, by default: OCI's has no health check, but Docker's holds a random name of the build's. */
  readonly format?: 'docker' | 'oci'
}

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const HOST_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

/**
 * The image's id. Every step is done anew: buildah's cache takes an image with other build arguments for the same. Throws a
 * ToolError with the end of what the build said.
 */
export async function buildImage(engine: Engine, options: BuildOptions = {}): Promise<string> {
  const { tag = IMAGE, context = CHECKOUT, revision = 'unknown', format = 'docker' } = options
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
      `--tag=${tag}`,
      context,
    )
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  // The image that had the tag before has none now, and nobody asks for it again.
  await engine.podman('image', 'prune', '--force', '--filter', `label=org.opencontainers.image.title=${NAME}`)
  return (await engine.podman('image', 'inspect', '--format', '{{.Id}}', tag)).trim()
}

/** npm in the build asks the registry this machine asks, and trusts whom it trusts. Mounted: the image has nothing of it. */
async function npmOfThisMachine(scratch: string): Promise<string[]> {
  const registry = (await call('npm', ['config', 'get', 'registry'])).trim()
  const settings = join(scratch, 'npmrc')
  const trusted = existsSync(HOST_CERTIFICATES)
  await writeFile(settings, `registry=${registry}\n${trusted ? `cafile=${HOST_CERTIFICATES}\n` : ''}`)
  const mounts = [`${settings}:/usr/local/etc/npmrc:ro`]
  if (trusted) mounts.push(`${HOST_CERTIFICATES}:${HOST_CERTIFICATES}:ro`)
  return mounts.map((mount) => `--volume=${mount}`)
}
