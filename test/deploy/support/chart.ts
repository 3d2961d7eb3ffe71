/** Renders the chart with Helm and parses the objects. */
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

/** Any Kubernetes object. Tests read its fields by path with {@link at}. */
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

/** The minimum of values that the chart needs. */
export const MINIMAL = `${CHART}/ci/minimal-values.yaml`
export const FULL = `${CHART}/ci/full-values.yaml`

export interface Rendering {
  /** Values files; later ones take precedence. Default: the minimal values. */
  readonly files?: readonly string[]
  readonly values?: Values
  readonly release?: string
  readonly kubeVersion?: string
  readonly chart?: string
}

/** Renders YAML. Rejects with Helm's error if the chart rejects the values. */
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

/** Helm's error for these values, or an empty string if the chart accepts them. */
export async function refusal(values: Values, files: readonly string[] = [MINIMAL]): Promise<string> {
  try {
    await renderText({ files, values })
    return ''
  } catch (error) {
    return (error as { stderr: string }).stderr
  }
}

/** The only object of a kind, optionally with a name that ends in `nameEnd`. */
export function one(manifests: readonly Manifest[], kind: string, nameEnd = ''): Manifest {
  const found = manifests.filter((it) => it.kind === kind && it.metadata.name.endsWith(nameEnd))
  const [only] = found
  if (only === undefined || found.length > 1) {
    throw new Error(`Expected one ${kind} with a name ending in "${nameEnd}", found ${found.length}.`)
  }
  return only
}

export function kinds(manifests: readonly Manifest[]): readonly string[] {
  return manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()
}

/** The value at a path such as `spec.template.spec.containers.0.image`, or undefined. */
export function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((found, name) => (found as Record<string, unknown> | undefined)?.[name], value)
}

/** The container of the service. */
export function containerOf(manifests: readonly Manifest[]): unknown {
  return at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0')
}
