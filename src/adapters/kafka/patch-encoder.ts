/**
 * kafkajs makes a Buffer of each number of variable length, of which a record has seven, and goes through four big integers
 * for the one of 64 bits: 3 kB of garbage for each result. Here they are written where they belong; the bytes are the same.
 */
import { EncoderClass, type Encoder, type VarLong } from './internals.ts'

const MOST_BYTES = 5
const LOW_BITS = 0x7f
const HIGH_BITS = ~LOW_BITS
const MORE_FOLLOWS = 0x80
/** Below it a number is written the same way, be it one of 32 bits or of 64. */
const SMALL = 2 ** 30

const { writeVarLong } = EncoderClass.prototype
const { sizeOfVarLong } = EncoderClass

export function patchEncoder(): void {
  EncoderClass.prototype.writeUVarInt = writeInPlace
  EncoderClass.prototype.writeVarLong = writeSmall
  EncoderClass.sizeOfVarLong = sizeOfSmall
}

function writeInPlace(this: Encoder, value: number): Encoder {
  this.ensureAvailable(MOST_BYTES)
  const { buf } = this
  let { offset } = this
  let rest = value
  for (; (rest & HIGH_BITS) !== 0; rest >>>= 7) buf[offset++] = (rest & LOW_BITS) | MORE_FOLLOWS
  buf[offset++] = rest
  this.offset = offset
  return this
}

function writeSmall(this: Encoder, value: VarLong): Encoder {
  return isSmall(value) ? this.writeVarInt(value) : writeVarLong.call(this, value)
}

function sizeOfSmall(value: VarLong): number {
  return isSmall(value) ? EncoderClass.sizeOfVarInt(value) : sizeOfVarLong.call(EncoderClass, value)
}

function isSmall(value: VarLong): value is number {
  return typeof value === 'number' && Math.abs(value) < SMALL
}
