/** Run by a test that kills it: starts a program that goes on for ever, as tests start the service, and says which. */
import { startNode } from '../../dev/harness/commands.ts'

const program = startNode(['-e', 'console.log("up"); setInterval(() => {}, 60_000)'], {})
await program.line(/up/)
process.stdout.write(`${program.pid}\n`)
