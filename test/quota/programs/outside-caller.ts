/**
 * Simulates another program that uses the same account: makes calls at a steady pace and ignores the answers.
 * Arguments: endpoint, calls per second. Its transactions have their own scenario, which distinguishes its calls in
 * the arrival log.
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
