/**
 * Stand-ins for the base images, for machines that reach package registries but no image registry: Debian's libraries
 * and the Node that the project brings. They have what our Dockerfile uses of the real ones, at the same places.
 */
import { randomUUID } from 'node:crypto'
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { call, ToolError, unpackDebian } from '../tools/install.ts'
import type { Engine } from './engine.ts'

export interface Bases {
  /** In place of `NODE_IMAGE`: Node, npm and a shell. */
  readonly node: string
  /** In place of `RUNTIME_IMAGE`: Node alone. */
  readonly runtime: string
}

const REPOSITORY = 'localhost/checkresult-stream'
export const LIBRARIES = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1']
const PACKAGES_DIR = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** Throws a ToolError when a part of them cannot be had. */
export async function provideBases(engine: Engine): Promise<Bases> {
  const version = await nodeVersion()
  const bases = { node: `${REPOSITORY}/node:${version}`, runtime: `${REPOSITORY}/node-alone:${version}` }
  if (await hasAll(engine, Object.values(bases))) return bases
  await inScratch(async (root) => {
    await unpackDebian(LIBRARIES, root)
    await setUpRoot(root)
    await cp(await nodeBinary(), join(root, 'nodejs/bin/node'))
    await pack(engine, {
      root,
      tag: bases.runtime,
      config: ['USER 65532:65532', 'ENTRYPOINT ["/nodejs/bin/node"]'],
    })
    await addShell(root)
    await addNpm(root)
    // npm looks for its settings beside the Node that runs it.
    await rename(join(root, 'nodejs/bin/node'), join(root, 'usr/local/bin/node'))
    await pack(engine, { root, tag: bases.node, config: ['CMD ["node"]'] })
  })
  return bases
}

/** Runs the action with an empty folder that others may enter, and deletes it. */
export async function inScratch(action: (root: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'checkresult-image-'))
  const root = join(scratch, 'root')
  try {
    await chmod(scratch, 0o755)
    await mkdir(root)
    await action(root)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

export async function hasAll(engine: Engine, tags: readonly string[]): Promise<boolean> {
  const found = await engine.podman('images', '--format', '{{.Repository}}:{{.Tag}}')
  const names = new Set(found.split('\n'))
  return tags.every((tag) => names.has(tag))
}

/** An image of what is in `root`, with these lines of a Dockerfile. */
export async function pack(
  engine: Engine,
  { root, tag, config }: { root: string; tag: string; config: readonly string[] },
): Promise<void> {
  const file = join(dirname(root), `Dockerfile.${randomUUID()}`)
  await writeFile(file, ['FROM scratch', 'COPY . /', ...config, ''].join('\n'))
  const flags = ['-q', '--isolation', 'chroot', '--format', 'docker', '--timestamp', '0']
  await engine.buildah('build', ...flags, '-f', file, '-t', tag, root)
}

/** What every program expects to find, and a user beside root. */
export async function setUpRoot(root: string): Promise<void> {
  const directories = ['tmp', 'proc', 'sys', 'dev', 'etc', 'bin', 'usr/bin', 'usr/local/bin', 'nodejs/bin']
  for (const directory of directories) await mkdir(join(root, directory), { recursive: true })
  await chmod(join(root, 'tmp'), 0o1777)
  const users = ['root:x:0:0::/root:/bin/sh', 'nonroot:x:65532:65532::/home/nonroot:/sbin/nologin']
  await writeFile(join(root, 'etc/passwd'), `${users.join('\n')}\n`)
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n')
}

export async function addShell(root: string): Promise<void> {
  await unpackDebian(['busybox-static'], root)
  const commands = await call(join(root, 'bin/busybox'), ['--list'])
  const present = new Set(await readdir(join(root, 'bin')))
  for (const command of commands.trim().split('\n')) {
    if (!present.has(command)) await symlink('busybox', join(root, 'bin', command))
  }
  await symlink('/bin/env', join(root, 'usr/bin/env'))
}

async function addNpm(root: string): Promise<void> {
  const { npm_execpath: script = '' } = process.env
  if (!script.endsWith('npm-cli.js')) throw new ToolError('Run this by npm: its own files go into the image.')
  const npm = join(root, 'usr/local/lib/node_modules/npm')
  await cp(dirname(dirname(await realpath(script))), npm, { recursive: true })
  await chmod(join(npm, 'bin/npm-cli.js'), 0o755)
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'))
}

function nodePackage(): string {
  return join(PACKAGES_DIR, `node-linux-${process.arch}`)
}

async function nodeBinary(): Promise<string> {
  return join(nodePackage(), 'bin/node')
}

async function nodeVersion(): Promise<string> {
  const file = join(nodePackage(), 'package.json')
  const text = await readFile(file, 'utf8').catch(() => {
    throw new ToolError(
      `The project brings no Node for Linux on ${process.arch}, which the image would need.`,
    )
  })
  return (JSON.parse(text) as { version: string }).version
}
