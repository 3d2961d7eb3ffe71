/** The kinds of records and their possible outcomes. */
import { Dice } from './dice.ts'

export type Outcome = 'result' | 'dead-letter' | 'skip'

/** The relative frequency of each kind. */
const KINDS = {
  good: 300,
  answered: 200,
  variation: 120,
  mutated: 100,
  json: 60,
  padded: 40,
  random: 40,
  framing: 40,
  time: 30,
  duplicate: 30,
  tombstone: 15,
  large: 4,
  inflating: 1,
} as const
export type Kind = keyof typeof KINDS

export function kindOf(seed: number, number: number): Kind {
  return new Dice('kind', seed, number).weighted(KINDS)
}
