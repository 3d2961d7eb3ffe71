/**
 * kubeconform checks manifests against JSON schemas. Built from source, because no package registry offers it as a
 * binary.
 */
import { join } from 'node:path'
import { buildGo, provide, type Tool } from './install.ts'

const VERSION = '0.8.0'

const KUBECONFORM: Tool = {
  id: `kubeconform-${VERSION}`,
  install: (directory) =>
    buildGo({ path: 'github.com/yannh/kubeconform/cmd/kubeconform', version: `v${VERSION}` }, directory),
}

/** Path of the command. Throws a ToolError if it is not available. */
export async function provideKubeconform(): Promise<string> {
  return join(await provide(KUBECONFORM), 'kubeconform')
}
