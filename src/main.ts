/** checkresult-stream: reads the command line and runs one command. */
import { argumentsOf, createProgram } from './cli/program.ts'

await createProgram().parseAsync(argumentsOf(process.argv.slice(2)), { from: 'user' })
