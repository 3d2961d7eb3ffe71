/**
 * Stand-ins for the base images, for machines that can reach package registries but no image registry: Debian's
 * libraries and the project's own Node. They contain what our Dockerfile uses of the real images, at the same paths.
 */
import { createHash, randomUUID } from 'node:crypto'
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
  /** Replaces `NODE_IMAGE`: Node, npm and a shell. */
  readonly node: string
  /** Replaces `RUNTIME_IMAGE`: only Node. */
  readonly runtime: string
}

export const REPOSITORY = 'localhost/checkresult-stream'
export const LIBRARIES = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1']
const PACKAGES_DIR = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** Throws a ToolError if a part of them is not available. */
export async function provideBases(engine: Engine): Promise<Bases> {
  const version = `${await nodeVersion()}-${await fingerprint([import.meta.filename])}`
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
    // npm looks for its settings next to the Node that runs it.
    await rename(join(root, 'nodejs/bin/node'), join(root, 'usr/local/bin/node'))
    await pack(engine, { root, tag: bases.node, config: ['CMD ["node"]'] })
  })
  return bases
}

/** A hash of everything an image is made from. If it changes, the image is rebuilt. */
export async function fingerprint(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) hash.update(await readFile(file))
  return hash.digest('hex').slice(0, 12)
}

/** Runs the action with an empty folder that other users can read, then deletes the folder. */
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

/** Builds an image from the files in `root` and these Dockerfile lines. */
export async function pack(
  engine: Engine,
  { root, tag, config }: { root: string; tag: string; config: readonly string[] },
): Promise<void> {
  const file = join(dirname(root), `Dockerfile.${randomUUID()}`)
  await writeFile(file, ['FROM scratch', 'COPY . /', ...config, ''].join('\n'))
  const flags = ['-q', '--isolation', 'chroot', '--format', 'docker', '--timestamp', '0']
  await engine.buildah('build', ...flags, '-f', file, '-t', tag, root)
}

/** The folders and files that every program expects, and a user besides root. */
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
  if (!script.endsWith('npm-cli.js'))
    throw new ToolError("Run this with npm, because npm's own files go into the image.")
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
    throw new ToolError(`The project has no Node for Linux on ${process.arch}, which the image needs.`)
  })
  return (JSON.parse(text) as { version: string }).version
}
