/** The chart rendered by Helm, as objects. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { provideHelm } from '../../../dev/tools/helm.ts'

const run = promisify(execFile)

export const CHART = fileURLToPath(new URL('../../../helm/checkresult-stream', import.meta.url))
export const OLDEST = '1.29.0'
export const NEWEST = '1.37.0'

export type Values = Readonly<Record<string, unknown>>

/** Any object of Kubernetes': what is looked at is named by its path. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: unknown
  readonly data?: Readonly<Record<string, string>>
}

/** The least that is enough, as in `ci/minimal-values.yaml`. */
export const MINIMAL = `${CHART}/ci/minimal-values.yaml`
export const FULL = `${CHART}/ci/full-values.yaml`

export interface Rendering {
  /** Files of values, the last one first in rank. Without any, the minimal ones. */
  readonly files?: readonly string[]
  readonly values?: Values
  readonly release?: string
  readonly kubeVersion?: string
  readonly chart?: string
}

/** The YAML text. Rejects with what Helm says when the chart refuses the values. */
export async function renderText(rendering: Rendering = {}): Promise<string> {
  const { files = [MINIMAL], values = {}, release = 'r', kubeVersion = NEWEST, chart = CHART } = rendering
  const { helm } = await provideHelm()
  const sets = Object.entries(values).flatMap(([path, value]) => [
    '--set-json',
    `${path}=${JSON.stringify(value)}`,
  ])
  const args = ['template', release, chart, '--namespace', 'identity', '--kube-version', kubeVersion]
  const valueFiles = files.flatMap((file) => ['--values', file])
  const { stdout } = await run(helm, [...args, ...valueFiles, ...sets], { maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

export async function render(rendering: Rendering = {}): Promise<readonly Manifest[]> {
  return parse(await renderText(rendering))
}

export function parse(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null)
}

/** What Helm says to values that are refused; empty where they are not. */
export async function refusal(values: Values, files: readonly string[] = [MINIMAL]): Promise<string> {
  try {
    await renderText({ files, values })
    return ''
  } catch (error) {
    return (error as { stderr: string }).stderr
  }
}

/** The one object of that kind, or of that kind and the end of its name. */
export function one(manifests: readonly Manifest[], kind: string, nameEnd = ''): Manifest {
  const found = manifests.filter((it) => it.kind === kind && it.metadata.name.endsWith(nameEnd))
  const [only] = found
  if (only === undefined || found.length > 1) {
    throw new Error(`There are ${found.length} of ${kind} …${nameEnd}, not one.`)
  }
  return only
}

export function kinds(manifests: readonly Manifest[]): readonly string[] {
  return manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()
}

/** What stands at a path such as `spec.template.spec.containers.0.image`; undefined where the path ends before. */
export function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((found, name) => (found as Record<string, unknown> | undefined)?.[name], value)
}

/** The container of the service. */
export function containerOf(manifests: readonly Manifest[]): unknown {
  return at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0')
}
