/**
 * Runs the API in a separate thread, because generating and comparing large records takes time and must not delay its
 * answers.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ApiOptions, Outage } from './api.ts'

export type ApiMessage =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'outage'; readonly outage: Outage }
  | { readonly kind: 'closed'; readonly calls: number }

export interface Api {
  readonly url: string
  /** In chronological order. */
  readonly outages: readonly Outage[]
  /** Number of calls. 0 until the API is closed. */
  readonly calls: number
  close(): Promise<void>
}

export async function startApiThread(options: ApiOptions): Promise<Api> {
  const worker = new Worker(new URL('api-worker.ts', import.meta.url), { workerData: options })
  const outages: Outage[] = []
  const listening = Promise.withResolvers<string>()
  const api = { url: '', outages, calls: 0, close }
  worker.on('message', (message: ApiMessage) => {
    if (message.kind === 'listening') listening.resolve(message.url)
    else if (message.kind === 'outage') outages.push(message.outage)
    else api.calls = message.calls
  })
  worker.on('error', listening.reject)

  async function close(): Promise<void> {
    if (worker.threadId < 0) return
    const exited = once(worker, 'exit')
    worker.postMessage('close', [])
    await exited
  }

  api.url = await listening.promise
  return api
}
