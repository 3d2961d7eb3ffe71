/** JSON for a terminal: it must not obey characters that somebody else chose. */

/** Line ends outside of strings are the indentation's own, because JSON escapes those within strings. */
const CONTROL = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Like `JSON.stringify` with indentation, but control, format and separator characters are escaped. Still the same value. */
export function terminalJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(CONTROL, escaped)
}

function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
