/**
 * A secret that may change while the service runs. A secret from a file is read again each time it is needed, which
 * is at a login and not per record. If the file is missing, empty or has several lines, the last good value stays
 * in use, and one warning is logged until it is good again.
 */
import { readTextFile, withoutLineEnd } from '../config/environment.ts'
import type { Secret } from '../config/secret.ts'
import type { Log } from '../ports.ts'

/** `setting` is the name for the log. The returned function never throws. */
export function renewedSecret(secret: Secret, setting: string, log: Pick<Log, 'warn'>): () => string {
  const { file } = secret
  let held = secret.reveal()
  if (file === null) return () => held
  let isBad = false
  return () => {
    const text = readLine(file)
    if (text === null && !isBad) {
      log.warn(
        `Cannot read the secret file of ${setting} again. The last good value stays in use. Check that the file exists, is readable, and has one line.`,
        { reason: setting },
      )
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
