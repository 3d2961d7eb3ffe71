/**
 * A secret that may change while the service runs: what comes from a file is read again whenever it is asked for, which
 * is at a login, not for a record. A file that is gone, empty or no text of one line leaves the last good value in use,
 * and is logged once until it is good again.
 */
import { readTextFile, withoutLineEnd } from '../config/environment.ts'
import type { Secret } from '../config/secret.ts'
import type { Log } from '../ports.ts'

/** `setting` names the secret in the log. The function returned never throws. */
export function renewedSecret(secret: Secret, setting: string, log: Pick<Log, 'warn'>): () => string {
  const { file } = secret
  let held = secret.reveal()
  if (file === null) return () => held
  let isBad = false
  return () => {
    const text = readLine(file)
    if (text === null && !isBad) {
      log.warn('A secret cannot be read anew; the last good one stays in use.', { reason: setting })
    }
    isBad = text === null
    held = text ?? held
    return held
  }
}

function readLine(file: string): string | null {
  const read = readTextFile(file)
  if (read.kind === 'unreadable') return null
  const text = withoutLineEnd(read.text)
  return /^[^\p{Cc}]+$/u.test(text) ? text : null
}
