/**
 * Writes the arrival of each call to a file, one line each: the time in nanoseconds of the system's monotonic
 * clock, which all processes of a machine share; the scenario, or `-` if the call was rejected before its
 * transaction id was read; and the code of the answer. Transaction ids are not written.
 */
import { createWriteStream, openSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Arrival } from './simulator.ts'

export interface ArrivalLog {
  readonly write: (arrival: Arrival) => void
  /** Resolves when everything is written. */
  close(): Promise<void>
}

/**
 * Throws if the file cannot be opened. Writing never delays a call, because a slow disk would make calls look late.
 */
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
