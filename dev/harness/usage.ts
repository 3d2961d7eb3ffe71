/** Resource usage of a process, from the kernel's accounting (Linux). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const TICKS_PER_SECOND = 100
/** The state in /proc/net/tcp. */
const ESTABLISHED = '01'

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

/** The number of established TCP connections of the process to a port, over IPv4. */
export function connectionsOf(pid: number, port: number): number {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => socketInode(`/proc/${pid}/fd/${fd}`)))
  const remotePort = port.toString(16).toUpperCase().padStart(4, '0')
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1)
  return rows.filter((row) => {
    const [, , remote, state, , , , , , inode] = row.trim().split(/\s+/)
    return state === ESTABLISHED && remote?.endsWith(`:${remotePort}`) === true && inodes.has(inode)
  }).length
}

/** Undefined if it is not a socket, or closed by now. */
function socketInode(descriptor: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(descriptor))?.[1]
  } catch {
    return undefined
  }
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN)
}
