/**
 * When each call came, as a file: a line each, with the nanoseconds of the system's monotonic clock, which all processes of
 * a machine share, the scenario (`-` where the call was refused before its transaction was read) and the code of the
 * answer. No transaction is named.
 */
import { createWriteStream, openSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Arrival } from './simulator.ts'

export interface ArrivalLog {
  readonly write: (arrival: Arrival) => void
  /** Resolves when all of it is written. */
  close(): Promise<void>
}

/** Throws when the file cannot be written. What is written never holds up a call: a slow disk would make it look late. */
export function openArrivalLog(file: string): ArrivalLog {
  const stream = createWriteStream(file, { fd: openSync(file, 'w') })
  return {
    write: ({ atNs, scenario, code }) => void stream.write(`${atNs} ${scenario ?? '-'} ${code}\n`),
    close: async () => {
      stream.end()
      await finished(stream)
    },
  }
}
