/**
 * Checks of pods: the restricted Pod Security Standard, which Kubernetes enforces, and the checks of kube-linter that matter
 * here.
 */
import { at, type Manifest } from './chart.ts'

interface Container {
  readonly name: string
  readonly image: string
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly resources?: unknown
  readonly env?: readonly { readonly name: string; readonly valueFrom?: object }[]
  readonly envFrom?: readonly { readonly secretRef?: unknown }[]
  readonly ports?: readonly { readonly name: string }[]
}

export interface PodSpec {
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly automountServiceAccountToken?: boolean
  readonly enableServiceLinks?: boolean
  readonly serviceAccountName?: string
  readonly volumes?: readonly Readonly<Record<string, unknown>>[]
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
}

/** All pods, by the name of the object that creates them. */
export function podsOf(manifests: readonly Manifest[]): readonly (readonly [string, PodSpec])[] {
  return manifests.flatMap((manifest) => {
    const spec = manifest.kind === 'Pod' ? manifest.spec : at(manifest.spec, 'template.spec')
    return spec === undefined ? [] : [[`${manifest.kind}/${manifest.metadata.name}`, spec as PodSpec]]
  })
}

const VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

export function podFaults(pod: PodSpec): readonly string[] {
  const containers = [...pod.containers, ...(pod.initContainers ?? [])]
  return [
    ...faults(pod, [
      ['the host is shared', (it) => it.hostNetwork === true || it.hostPID === true || it.hostIPC === true],
      ['it may run as root', (it) => it.securityContext?.['runAsNonRoot'] !== true],
      ['its user is root', (it) => it.securityContext?.['runAsUser'] === 0],
      ['no seccomp profile', (it) => at(it.securityContext, 'seccompProfile.type') !== 'RuntimeDefault'],
      ['a volume of a forbidden kind', (it) => (it.volumes ?? []).some((volume) => !isAllowed(volume))],
      ['the token of its ServiceAccount is mounted', (it) => it.automountServiceAccountToken !== false],
      ['service links', (it) => it.enableServiceLinks !== false],
      ['the default ServiceAccount', (it) => ['', 'default', undefined].includes(it.serviceAccountName)],
    ]),
    ...containers.flatMap((container) => containerFaults(container)),
  ]
}

function containerFaults(container: Container): readonly string[] {
  return faults(container, [
    ['privileges may grow', (it) => it.securityContext?.['allowPrivilegeEscalation'] !== false],
    ['privileged', (it) => it.securityContext?.['privileged'] === true],
    ['a writable root', (it) => it.securityContext?.['readOnlyRootFilesystem'] !== true],
    ['capabilities', (it) => JSON.stringify(it.securityContext?.['capabilities']) !== '{"drop":["ALL"]}'],
    ['the tag latest, or none', (it) => it.image.endsWith(':latest') || !/[:@][^/]+$/.test(it.image)],
    ['requests', (it) => !hasAll(at(it.resources, 'requests'))],
    ['limits', (it) => !hasAll(at(it.resources, 'limits'))],
    [
      'a secret in its environment',
      (it) =>
        (it.env ?? []).some(({ valueFrom }) => valueFrom !== undefined && !('fieldRef' in valueFrom)) ||
        (it.envFrom ?? []).some(({ secretRef }) => secretRef !== undefined),
    ],
    ['a variable twice', (it) => new Set(it.env?.map(({ name }) => name)).size !== (it.env ?? []).length],
  ]).map((fault) => `${container.name}: ${fault}`)
}

function faults<T>(thing: T, checks: readonly (readonly [string, (thing: T) => boolean])[]): string[] {
  return checks.filter(([, isFault]) => isFault(thing)).map(([fault]) => fault)
}

function isAllowed(volume: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(volume).every((name) => name === 'name' || VOLUMES.has(name))
}

function hasAll(resources: unknown): boolean {
  return at(resources, 'cpu') !== undefined && at(resources, 'memory') !== undefined
}
