/** Checks processes through the operating system. */
import { execFileSync } from 'node:child_process'

/** A killed process without a parent that waits for it is still listed as a zombie. */
export function isAlive(pid: number | undefined): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z')
  } catch {
    return false
  }
}
