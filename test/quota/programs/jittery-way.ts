/** A way to a loopback port that takes by chance up to so much longer. Arguments: port, milliseconds. Prints its own port. */
import { pickPort } from '../../../dev/stack/ports.ts'
import { startTcpProxy } from '../../../dev/stack/tcp-proxy.ts'

const [, , target = '', jitterMs = ''] = process.argv
const { port } = await startTcpProxy({
  port: await pickPort(),
  target: Number(target),
  jitterMs: Number(jitterMs),
})
process.stdout.write(`port ${port}\n`)
