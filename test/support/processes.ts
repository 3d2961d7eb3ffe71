/** Processes as the system sees them. */
import { execFileSync } from 'node:child_process'

/** A killed process that nobody has waited for yet is still listed, as a zombie. */
export function isAlive(pid: number | undefined): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z')
  } catch {
    return false
  }
}
