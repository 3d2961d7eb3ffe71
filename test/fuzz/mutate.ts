/** Mutates bytes regardless of their meaning. */
import type { Dice } from './dice.ts'

const MAX_CHANGES = 4
const MAX_RUN = 12
/** Bytes on which decoders branch: ends of ranges, signs, quotes, braces. */
const TELLING = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5c, 0x7b, 0x7d, 0x2c, 0xef, 0xbb]

export function mutate(bytes: Buffer, dice: Dice): Buffer {
  let mutated = bytes
  for (let left = dice.between(1, MAX_CHANGES); left > 0; left -= 1) mutated = change(mutated, dice)
  return mutated
}

function change(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1)
  const end = Math.min(bytes.length, at + dice.between(1, MAX_RUN))
  const before = bytes.subarray(0, at)
  switch (dice.weighted({ cut: 2, insert: 3, remove: 3, replace: 4, repeat: 2, swap: 1 })) {
    case 'cut':
      return before
    case 'insert':
      return Buffer.concat([before, piece(dice), bytes.subarray(at)])
    case 'remove':
      return Buffer.concat([before, bytes.subarray(end)])
    case 'replace':
      return Buffer.concat([before, piece(dice), bytes.subarray(end)])
    case 'repeat':
      return Buffer.concat([before, bytes.subarray(at, end), bytes.subarray(at)])
    case 'swap':
      return Buffer.concat([bytes.subarray(at), before])
  }
}

function piece(dice: Dice): Buffer {
  return dice.chance(0.5) ? Buffer.from([dice.pick(TELLING)]) : dice.bytes(dice.between(1, MAX_RUN))
}
