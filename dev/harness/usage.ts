/** Resource usage of a process, from the kernel's accounting (Linux). */
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

export interface Usage {
  /** User and system time so far. */
  readonly cpuMs: number
  readonly peakMemoryMb: number
  readonly memoryMb: number
}

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command name, in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    cpuMs: (ticks * 1000) / TICKS_PER_SECOND,
    peakMemoryMb: kilobytes(status, 'VmHWM') / 1024,
    memoryMb: kilobytes(status, 'VmRSS') / 1024,
  }
}

/** The number of open file descriptors of the process. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN)
}
