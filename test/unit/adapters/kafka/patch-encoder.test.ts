import { createRequire } from 'node:module'
import { assert, bigInt, integer, maxSafeInteger, oneof, property } from 'fast-check'
import { expect, test } from 'vitest'
import { EncoderClass, type Encoder, type VarLong } from '../../../../src/adapters/kafka/internals.ts'
import { patchEncoder } from '../../../../src/adapters/kafka/patch-encoder.ts'

patchEncoder()
const Original = unpatched()

/** Loaded once more, so that nobody has mended it. */
function unpatched(): typeof EncoderClass {
  const require = createRequire(import.meta.url)
  const file = require.resolve('kafkajs/src/protocol/encoder')
  const known = require.cache[file]
  Reflect.deleteProperty(require.cache, file)
  const loaded = require(file) as typeof EncoderClass
  require.cache[file] = known
  return loaded
}

function written(Class: typeof EncoderClass, write: (encoder: Encoder) => Encoder): string {
  return write(new Class()).buffer.toString('hex')
}

function expectSame(write: (encoder: Encoder) => Encoder): void {
  expect(written(EncoderClass, write)).toBe(written(Original, write))
}

function expectSameVarInt(value: number): void {
  expectSame((to) => to.writeVarInt(value))
}

function expectSameVarLong(value: VarLong): void {
  expectSame((to) => to.writeVarLong(value))
  expect(EncoderClass.sizeOfVarLong(value)).toBe(Original.sizeOfVarLong(value))
}

const int32 = integer()
const AT_THE_EDGES = [0, 1, -1, 63, 64, -64, -65, 2 ** 30 - 1, 2 ** 30, -(2 ** 30), 2 ** 31 - 1, -(2 ** 31)]

test('numbers of 32 bits are written as kafkajs writes them', () => {
  expect.hasAssertions()
  AT_THE_EDGES.forEach(expectSameVarInt)
  assert(property(int32, expectSameVarInt))
})

test('numbers of 64 bits are written, and measured, as kafkajs does', () => {
  expect.hasAssertions()
  AT_THE_EDGES.forEach(expectSameVarLong)
  assert(property(oneof(int32, maxSafeInteger()), expectSameVarLong))
  assert(property(bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), expectSameVarLong))
})

test('many numbers grow the buffer as needed', () => {
  expect.hasAssertions()
  const numbers = Array.from({ length: 2_000 }, (_, index) => index * 7_919)
  expectSame((to) => numbers.reduce((encoder, value) => encoder.writeVarInt(value), to))
})
