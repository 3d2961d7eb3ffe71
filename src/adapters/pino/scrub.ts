/**
 * Log messages contain nothing personal. As a safety net, this cuts out what looks personal: non-ASCII text, dates,
 * and numbers as long as those on an identity document.
 */

/** Enough for the names of a dozen topics and the advice that follows. */
const MAX_MESSAGE_LENGTH = 2_000

const SUSPECT = [
  /[^ ]*[^\x20-\x7e][^ ]*/g,
  /\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b/g,
  /\w*\d{6,}\w*(?:\(\w\))?/g,
] as const

/** `names` are topics, hosts and so on from the settings. Dates and long numbers in them are kept. */
export function createScrub(names: readonly string[]): (message: string) => string {
  const known = new Set(SUSPECT.flatMap((suspect) => names.flatMap((name) => name.match(suspect) ?? [])))
  return (message) =>
    SUSPECT.reduce(
      (text, suspect) => text.replace(suspect, (found) => (known.has(found) ? found : '…')),
      message.slice(0, MAX_MESSAGE_LENGTH),
    )
}
