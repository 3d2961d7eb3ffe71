/**
 * Stands in for the Job controller and the kubelet: creates the pod of each Job, so that admission checks it, and
 * gives it the outcome that the test wants. Does the same for the pod of `helm test`.
 */
import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiServer } from './api-server.ts'

interface Item {
  readonly metadata: { readonly name: string; readonly uid: string }
  readonly spec: { readonly template: object }
  readonly status: { readonly conditions?: readonly unknown[]; readonly phase?: string }
}

export interface Kubelet {
  /** Names of the Jobs that have run, in order. */
  readonly ran: readonly string[]
  /** Messages about pods that the API server rejected. */
  readonly refused: readonly string[]
  /** Suffix of the names of Jobs that fail. */
  failing: string | null
  stop(): Promise<void>
}

const POLL_MS = 200

export function startKubelet({ kubectl }: ApiServer, namespace: string): Kubelet {
  const ran: string[] = []
  const refused: string[] = []
  const seen = new Set<string>()
  const stopping = new AbortController()
  const kubelet: Kubelet = {
    ran,
    refused,
    failing: null,
    stop: async () => {
      stopping.abort()
      await loop
    },
  }
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      for (const job of await list('jobs')) await runJob(job)
      for (const pod of await list('pods')) await runTest(pod)
      await sleep(POLL_MS)
    }
  })()
  return kubelet

  async function list(kind: string): Promise<readonly Item[]> {
    const text = await kubectl(['get', kind, '-n', namespace, '-o', 'json'])
    return (JSON.parse(text) as { items: Item[] }).items
  }

  async function runJob({ metadata: { name, uid }, spec }: Item): Promise<void> {
    if (seen.has(uid)) return
    seen.add(uid)
    ran.push(name)
    const problem = await admission(kubectl, namespace, spec.template)
    if (problem !== null) refused.push(problem)
    const failed = kubelet.failing !== null && name.endsWith(kubelet.failing)
    await setStatus('job', name, jobStatus(failed))
  }

  async function runTest({ metadata: { name }, status: { phase } }: Item): Promise<void> {
    if (name.endsWith('-test') && phase === 'Pending') await setStatus('pod', name, { phase: 'Succeeded' })
  }

  async function setStatus(kind: string, name: string, status: object): Promise<void> {
    const patch = JSON.stringify({ status })
    await kubectl(['patch', kind, name, '-n', namespace, '--subresource=status', '--type=merge', '-p', patch])
  }
}

/** Why the API server rejects a pod with this template, or null if it admits it. */
export async function admission(
  kubectl: ApiServer['kubectl'],
  namespace: string,
  template: object,
): Promise<string | null> {
  const file = join(tmpdir(), `checkresult-pod-${randomUUID()}.json`)
  const pod = { apiVersion: 'v1', kind: 'Pod', ...template, metadata: { name: `pod-${randomUUID()}` } }
  await writeFile(file, JSON.stringify(pod))
  try {
    await kubectl(['create', '--dry-run=server', '-n', namespace, '-f', file])
    return null
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown'
  } finally {
    await rm(file)
  }
}

function jobStatus(failed: boolean): object {
  const now = new Date().toISOString().replace(/\.\d+/, '')
  const types = failed ? ['FailureTarget', 'Failed'] : ['SuccessCriteriaMet', 'Complete']
  const conditions = types.map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    lastProbeTime: now,
  }))
  return failed
    ? { startTime: now, failed: 1, conditions }
    : { startTime: now, completionTime: now, succeeded: 1, conditions }
}
