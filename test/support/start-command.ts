/**
 * Run by a test that then kills it: starts a long-running program as tests start the service, and prints its process
 * id.
 */
import { startNode } from '../../dev/harness/commands.ts'

const program = startNode(['-e', 'console.log("up"); setInterval(() => {}, 60_000)'], {})
await program.line(/up/)
process.stdout.write(`${program.pid}\n`)
