/**
 * Prometheus and promtool, for tests of rules and dashboards: Debian's 2.42, whose programs need no library except
 * libc.
 */
import { join } from 'node:path'
import { provide, unpackDebian } from './install.ts'

export interface Prometheus {
  readonly prometheus: string
  readonly promtool: string
}

/** Paths of the two programs. Throws a ToolError if they are not available. */
export async function providePrometheus(): Promise<Prometheus> {
  const directory = await provide({
    id: 'prometheus-debian-2.42',
    install: async (into) => unpackDebian(['prometheus'], into),
  })
  const bin = join(directory, 'usr', 'bin')
  return { prometheus: join(bin, 'prometheus'), promtool: join(bin, 'promtool') }
}
