/**
 * Another program of the same account: calls at an even pace, whatever the answers are. Arguments: endpoint, calls a
 * second. Its transactions name a scenario of their own, by which the log of arrivals tells its calls from the service's.
 */
import { createCheckResultClient } from '../../../src/adapters/alibaba/client.ts'
import { handingOut } from '../../support/credentials.ts'
import { OUTSIDE_SCENARIO } from '../scenarios.ts'

const [, , endpoint = '', perSecond = ''] = process.argv
const TIMEOUT_MS = 5_000

const client = createCheckResultClient({
  endpoint,
  timeoutMs: TIMEOUT_MS,
  credentials: handingOut(() => ({ accessKeyId: 'simulator', accessKeySecret: 'simulator-secret' })),
})
const startedMs = performance.now()
let made = 0

function call(): void {
  made += 1
  void client.check({ transactionId: `${OUTSIDE_SCENARIO}x${made}`, merchantBizId: 'biz1' }, TIMEOUT_MS)
  const dueMs = startedMs + (made * 1_000) / Number(perSecond)
  setTimeout(call, Math.max(0, dueMs - performance.now()))
}

call()
