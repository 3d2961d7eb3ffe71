/** Run by a test that kills it: starts a stack, says where it is, and stays. */
import { startStack } from '../../dev/stack/stack.ts'

const { brokers, registryUrl, dataDir, kafka, registry } = await startStack()
process.stdout.write(
  `${JSON.stringify({ brokers, registryUrl, dataDir, pids: [kafka.pid, registry.pid] })}\n`,
)
