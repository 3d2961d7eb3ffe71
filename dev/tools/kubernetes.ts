/** A Kubernetes API server that runs alone: the server, built from source, and etcd, from Debian. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildGo, call, provide, unpackDebian, type Tool } from './install.ts'

const VERSION = '1.37.2'

const API_SERVER: Tool = {
  id: `kube-apiserver-${VERSION}`,
  install: async (directory) =>
    buildGo(
      {
        path: 'k8s.io/kubernetes/cmd/kube-apiserver',
        version: `v${VERSION}`,
        ldflags: `-X k8s.io/component-base/version.gitVersion=v${VERSION}`,
        replace: await stagedModules(),
      },
      directory,
    ),
}

const ETCD: Tool = { id: 'etcd-debian-3.4', install: (directory) => unpackDebian(['etcd-server'], directory) }

/** Kubernetes' libraries are folders of its own repository. Elsewhere they are modules of the matching version. */
async function stagedModules(): Promise<string[]> {
  const downloaded = await call('go', ['mod', 'download', '-json', `k8s.io/kubernetes@v${VERSION}`])
  const { GoMod: file } = JSON.parse(downloaded) as { GoMod: string }
  const text = await readFile(file, 'utf8')
  const names = [...text.matchAll(/^\s*(k8s\.io\/[a-z-]+) => \.\/staging/gm)].map(([, name = '']) => name)
  return names.map((name) => `${name}=${name}@v0.${VERSION.slice(2)}`)
}

export interface KubernetesTools {
  readonly apiServer: string
  readonly etcd: string
}

/** Paths of the commands. Throws a ToolError if they are not available. */
export async function provideKubernetes(): Promise<KubernetesTools> {
  const etcd = join(await provide(ETCD), 'usr', 'bin', 'etcd')
  return { etcd, apiServer: join(await provide(API_SERVER), 'kube-apiserver') }
}

if (import.meta.main) await provideKubernetes()
