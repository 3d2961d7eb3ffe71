/** Run by a test that kills it: starts a program that goes on for ever, as tests start the service, and says which. */
import { startNode } from '../../dev/harness/commands.ts'

const { pid, line } = startNode(['-e', 'console.log("up"); setInterval(() => {}, 60_000)'], {})
await line(/up/)
process.stdout.write(`${pid}\n`)
