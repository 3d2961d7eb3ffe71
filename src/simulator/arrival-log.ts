/**
 * When each call came, as a file: a line each, with the nanoseconds of the system's monotonic clock, which all processes of
 * a machine share, the scenario (`-` where the call was refused before its transaction was read) and the code of the
 * answer. No transaction is named.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Arrival } from './simulator.ts'

export interface ArrivalLog {
  readonly write: (arrival: Arrival) => void
  close(): void
}

/** Lines are gathered for so long: a write a call would itself hold up the calls behind it. */
const GATHER_MS = 100

/** Throws when the file cannot be written. */
export function openArrivalLog(file: string): ArrivalLog {
  const descriptor = openSync(file, 'w')
  let lines = ''
  let timer: NodeJS.Timeout | null = null
  const flush = (): void => {
    timer = null
    writeSync(descriptor, lines)
    lines = ''
  }
  return {
    write: ({ atNs, scenario, code }) => {
      lines += `${atNs} ${scenario ?? '-'} ${code}\n`
      timer ??= setTimeout(flush, GATHER_MS)
    },
    close: () => {
      if (timer !== null) clearTimeout(timer)
      flush()
      closeSync(descriptor)
    },
  }
}
