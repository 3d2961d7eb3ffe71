/** Exit codes of commands that did not succeed. */

/** Settings are invalid. This is found before any connection is made. */
export const EXIT_SETTINGS = 2
export const EXIT_FAILED = 1
