/** Run by a test that then kills it: starts a stack, prints its addresses and waits. */
import { startStack } from '../../dev/stack/stack.ts'

const { brokers, registryUrl, dataDir, kafka, registry } = await startStack()
process.stdout.write(
  `${JSON.stringify({ brokers, registryUrl, dataDir, pids: [kafka.pid, registry.pid] })}\n`,
)
