/** Values of options, as the commands of the large suites understand them. */
import { InvalidArgumentError } from 'commander'

export function names(text: string): string[] {
  return text.split(',').filter((name) => name !== '')
}

export function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('A whole number from 1 on is wanted.')
  return number
}

export const MOST_SEEDS = 1_000_000
