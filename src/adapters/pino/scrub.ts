/**
 * Sentences are ours and hold nothing personal. Should one do so by mistake, what is easily told is cut out: anything but
 * plain English letters and signs, dates, and numbers as long as those on a document.
 */

/** Room for the names of a dozen topics and the advice behind them. */
const MAX_MESSAGE_LENGTH = 2_000

const SUSPECT = [
  /[^ ]*[^\x20-\x7e][^ ]*/g,
  /\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b/g,
  /\w*\d{6,}\w*(?:\(\w\))?/g,
] as const

/** `names`: of topics, hosts and the like, from the settings. What they hold of dates and long numbers may be said. */
export function createScrub(names: readonly string[]): (message: string) => string {
  const known = new Set(SUSPECT.flatMap((suspect) => names.flatMap((name) => name.match(suspect) ?? [])))
  return (message) =>
    SUSPECT.reduce(
      (text, suspect) => text.replace(suspect, (found) => (known.has(found) ? found : '…')),
      message.slice(0, MAX_MESSAGE_LENGTH),
    )
}
