/** The API in a thread of its own: making and comparing large records takes its time, and answers must not wait for that. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ApiOptions, Weather } from './api.ts'

export type ApiMessage =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'weather'; readonly weather: Weather }
  | { readonly kind: 'closed'; readonly calls: number }

export interface Api {
  readonly url: string
  /** In the order they came. */
  readonly weathers: readonly Weather[]
  /** How many calls there were; 0 before it is closed. */
  readonly calls: number
  close(): Promise<void>
}

export async function startApiThread(options: ApiOptions): Promise<Api> {
  const worker = new Worker(new URL('api-worker.ts', import.meta.url), { workerData: options })
  const weathers: Weather[] = []
  const listening = Promise.withResolvers<string>()
  const api = { url: '', weathers, calls: 0, close }
  worker.on('message', (message: ApiMessage) => {
    if (message.kind === 'listening') listening.resolve(message.url)
    else if (message.kind === 'weather') weathers.push(message.weather)
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
