/**
 * Builds and runs images without a container daemon, with Debian's buildah, podman and runc. If they are missing,
 * they are installed, provided that this needs no confirmation (root, apt-get).
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { call, ToolError } from '../tools/install.ts'
import { cacheDir } from '../stack/programs.ts'

const PROGRAMS = ['buildah', 'podman', 'runc', 'netavark', 'iptables'] as const
const PACKAGES = [...PROGRAMS, 'aardvark-dns', 'catatonit'] as const

/** Where podman's helper programs are. They are not on the PATH. */
const HELPERS = ['/usr/lib/podman', '/usr/libexec/podman', '/usr/sbin']

/**
 * Without the right to raise limits, podman fails on its default limits. crun rejects mixed cgroup versions. There
 * may be no journal and no systemd.
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
  /** The environment that podman needs. Without it, its first call sets up another kind of network. */
  readonly env: Readonly<Record<string, string>>
  readonly buildah: (...args: readonly string[]) => Promise<string>
  readonly podman: (...args: readonly string[]) => Promise<string>
}

/** Throws a ToolError that says what to install. */
export async function provideEngine(): Promise<Engine> {
  if (process.platform !== 'linux')
    throw new ToolError('Building and running images needs buildah and podman on Linux.')
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
    throw new ToolError(`Building and running images needs root and the packages of ${what}.`)
  if (!existsSync('/usr/bin/apt-get'))
    throw new ToolError(`Install ${PACKAGES.join(', ')}, which build and run images.`)
  process.stderr.write(`Installing ${PACKAGES.join(', ')} (once) ...\n`)
  await call('apt-get', ['update', '-qq'])
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await call('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES], { env })
}
