/** The worker thread of {@link startApiThread}. */
import { parentPort, workerData } from 'node:worker_threads'
import type { ApiMessage } from './api-thread.ts'
import { startApi, type ApiOptions } from './api.ts'

function tell(message: ApiMessage): void {
  parentPort?.postMessage(message, [])
}

const api = await startApi(workerData as ApiOptions, (outage) => tell({ kind: 'outage', outage }))
tell({ kind: 'listening', url: api.url })
parentPort?.once('message', () => {
  void api.close().then(() => {
    tell({ kind: 'closed', calls: api.calls() })
    parentPort?.close()
  })
})
