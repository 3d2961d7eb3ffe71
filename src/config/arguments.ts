/** Parsers for the values of options and arguments. Each throws an error that commander prints after the option's name. */
import { InvalidArgumentError } from 'commander'

/** Accepts an integer written in digits, from `min` to `max`. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN
    if (number >= min && number <= max) return number
    throw new InvalidArgumentError(
      max === Number.MAX_SAFE_INTEGER
        ? `Expected an integer >= ${min}.`
        : `Expected an integer from ${min} to ${max}.`,
    )
  }
}

export function nonEmpty(text: string): string {
  if (text !== '') return text
  throw new InvalidArgumentError('Expected text that is not empty.')
}
