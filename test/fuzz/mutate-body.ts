/**
 * Mutates the structure of an answer: other types, other spellings, more nesting, more or fewer members, larger
 * members.
 */
import { toText, type Body } from './bodies.ts'
import type { Dice } from './dice.ts'
import { CANARY } from './events.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

const MAX_CHANGES = 3
const MANY = 90
const DEEP = 3_000
const LONG = 300_000

/** The mutated answer as text. It is still valid JSON, except for rare raw changes in the last step. */
export function mutateBody(body: Body, dice: Dice): Buffer {
  let mutated = JSON.parse(toText(body)) as Json
  for (let left = dice.between(1, MAX_CHANGES); left > 0; left -= 1) mutated = changeWithin(mutated, dice, 0)
  const text = JSON.stringify(mutated)
  switch (dice.weighted({ none: 20, twice: 2, numbers: 1, protos: 2, blanks: 2 })) {
    case 'none':
      return Buffer.from(text)
    case 'twice':
      return Buffer.from(text.replace('{', '{"Code":"Success","Result":null,'))
    case 'numbers':
      return Buffer.from(text.replace('{', '{"a":1e999,"b":-0,"c":0.1e-400,'))
    case 'protos':
      return Buffer.from(text.replaceAll('{', '{"__proto__":{"Code":"x"},"constructor":null,'))
    case 'blanks':
      return Buffer.from(`\n\t ${text}\r\n\n`)
  }
}

/** Descends at random and changes the member it reaches, except the code, which must not contain personal data. */
function changeWithin(value: Json, dice: Dice, depth: number): Json {
  if (typeof value === 'string') {
    const inner = embedded(value)
    if (inner !== null && dice.chance(0.7)) return JSON.stringify(changeWithin(inner, dice, depth + 1))
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const names = Object.keys(value).filter((name) => name !== 'Code')
    if (names.length > 0 && (depth === 0 || dice.chance(0.8))) {
      return changeMember(value as { readonly [name: string]: Json }, dice.pick(names), dice, depth)
    }
  }
  return instead(value, dice)
}

function changeMember(
  value: { readonly [name: string]: Json },
  name: string,
  dice: Dice,
  depth: number,
): Json {
  const { [name]: member = null, ...others } = value
  switch (dice.weighted({ within: 8, rename: 2, remove: 2, add: 2 })) {
    case 'within':
      return { ...value, [name]: changeWithin(member, dice, depth + 1) }
    case 'rename':
      return {
        ...others,
        [dice.pick([name.toLowerCase(), name.toUpperCase(), ` ${name}`, `${name}x`])]: member,
      }
    case 'remove':
      return others
    case 'add':
      return { ...manyMembers(dice), ...value }
  }
}

function instead(value: Json, dice: Dice): Json {
  const kinds: readonly (() => Json)[] = [
    () => null,
    () => dice.chance(0.5),
    () => dice.pick([0, -1, 1.5, 1e21, Number.MAX_VALUE]),
    () => '',
    () =>
      dice.pick(['y', 'n', 'p', 'true', 'Y ', 'YES', '**', 'null', '{}', '[]', '\u0000', '\ud800', CANARY]),
    () => [],
    () => [value, value],
    () => ({}),
    () => ({ value }),
    () => manyMembers(dice),
    () => JSON.stringify(value),
    () => JSON.stringify(JSON.stringify(JSON.stringify(value))),
    () => `${CANARY} `.repeat(dice.pick([20, 200, LONG / 8])),
    () => nested(dice.pick([10, DEEP])),
    () => JSON.stringify(value).slice(0, -1),
  ]
  return dice.pick(kinds)()
}

function manyMembers(dice: Dice): { readonly [name: string]: Json } {
  const count = dice.pick([1, MANY])
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `${dice.pick(['odd', CANARY])}${at}`,
      dice.pick([CANARY, 7, null]),
    ]),
  )
}

function nested(depth: number): Json {
  let value: Json = CANARY
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}

function embedded(text: string): Json | null {
  if (!text.startsWith('{')) return null
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}
