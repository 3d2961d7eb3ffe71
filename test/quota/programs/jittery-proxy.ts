/**
 * A TCP proxy to a loopback port that adds a random delay. Arguments: port, maximum delay in milliseconds. Prints its
 * own port.
 */
import { pickPort } from '../../../dev/stack/ports.ts'
import { startTcpProxy } from '../../../dev/stack/tcp-proxy.ts'

const [, , target = '', jitterMs = ''] = process.argv
const { port } = await startTcpProxy({
  port: await pickPort(),
  target: Number(target),
  jitterMs: Number(jitterMs),
})
process.stdout.write(`port ${port}\n`)
