/**
 * Random choices determined by a seed and a number. Each record and each answer has its own die, so it can be
 * replayed alone.
 */
import { createHash } from 'node:crypto'
import { seeded } from '../support/random.ts'

export class Dice {
  readonly #next: () => number

  constructor(...names: readonly (string | number)[]) {
    this.#next = seeded(createHash('sha256').update(names.join('/')).digest().readUInt32LE(0))
  }

  /** From 0 up to but excluding `end`. */
  below(end: number): number {
    return Math.floor(this.#next() * end)
  }

  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  chance(share: number): boolean {
    return this.#next() < share
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)]
    if (found === undefined) throw new Error('Cannot pick from an empty list.')
    return found
  }

  /** A random key of the table, weighted by its value. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[]
    let left = this.#next() * names.reduce((sum, name) => sum + weights[name], 0)
    for (const name of names) {
      left -= weights[name]
      if (left < 0) return name
    }
    return this.pick(names)
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let at = 0; at < length; at += 1) bytes[at] = this.below(256)
    return bytes
  }

  /**
   * A repeated block of random bytes: cheap to generate, and hardly compressible by codecs with a window of up to 64
   * KiB.
   */
  bulk(length: number): Buffer {
    return Buffer.alloc(length, this.bytes(Math.min(length, 4_093)))
  }
}
