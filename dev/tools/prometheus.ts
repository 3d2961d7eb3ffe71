/** Prometheus and promtool, for the tests of rules and dashboards: Debian's 2.42, whose programs want no libraries but libc. */
import { join } from 'node:path'
import { provide, unpackDebian } from './install.ts'

export interface Prometheus {
  readonly prometheus: string
  readonly promtool: string
}

/** The two programs' paths. Throws a ToolError when they cannot be had. */
export async function providePrometheus(): Promise<Prometheus> {
  const directory = await provide({
    id: 'prometheus-debian-2.42',
    install: async (into) => unpackDebian(['prometheus'], into),
  })
  const bin = join(directory, 'usr', 'bin')
  return { prometheus: join(bin, 'prometheus'), promtool: join(bin, 'promtool') }
}
