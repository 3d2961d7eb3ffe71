/**
 * Builds and runs images without a container daemon: buildah, podman and runc, as Debian packages them. Where they are
 * missing they are installed if that can be done without asking (root, apt-get).
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { call, ToolError } from '../tools/install.ts'
import { cacheDir } from '../stack/programs.ts'

const PROGRAMS = ['buildah', 'podman', 'runc', 'netavark', 'iptables'] as const
const PACKAGES = [...PROGRAMS, 'aardvark-dns', 'catatonit'] as const

/** Programs that are no commands, but helpers of podman. */
const HELPERS = ['/usr/lib/podman', '/usr/libexec/podman', '/usr/sbin']

/**
 * Without the rights to raise limits podman stops at its own defaults; crun refuses a mix of cgroup versions; and there
 * need be neither a journal nor a systemd.
 */
const CONFIG = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
events_logger = "file"
cgroup_manager = "cgroupfs"
[network]
network_backend = "netavark"
`

export interface Engine {
  /** What podman has to find in its environment: without it, its first call sets up another kind of network. */
  readonly env: Readonly<Record<string, string>>
  readonly buildah: (...args: readonly string[]) => Promise<string>
  readonly podman: (...args: readonly string[]) => Promise<string>
}

/** Throws a ToolError that says what to install. */
export async function provideEngine(): Promise<Engine> {
  if (process.platform !== 'linux')
    throw new ToolError('Images are built and run with buildah and podman, on Linux.')
  if (missing().length > 0) await installPackages()
  const config = join(cacheDir(), 'containers.conf')
  await mkdir(cacheDir(), { recursive: true })
  await writeFile(config, CONFIG)
  const env = { CONTAINERS_CONF: config }
  return {
    env,
    buildah: async (...args) => call('buildah', args, { env }),
    podman: async (...args) => call('podman', args, { env }),
  }
}

function missing(): string[] {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...HELPERS]
  return PROGRAMS.filter((name) => !directories.some((directory) => existsSync(join(directory, name))))
}

async function installPackages(): Promise<void> {
  const what = `\`apt-get install --no-install-recommends ${PACKAGES.join(' ')}\``
  if (process.getuid?.() !== 0)
    throw new ToolError(`Images are built and run as root, with what ${what} brings.`)
  if (!existsSync('/usr/bin/apt-get'))
    throw new ToolError(`Install ${PACKAGES.join(', ')}: images are built and run with them.`)
  process.stderr.write(`Installing ${PACKAGES.join(', ')} (once) ...\n`)
  await call('apt-get', ['update', '-qq'])
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await call('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES], { env })
}
