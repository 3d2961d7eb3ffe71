/** Encodes results in the Confluent wire format: a zero byte, the schema id in four bytes, then Avro. */
import type { EncodeResult } from '../../ports.ts'
import { schemaType } from './schemas.ts'

const HEADER_BYTES = 5
const SCRATCH_BYTES = 64 * 1024

export function createEncodeResult(schemaId: number): EncodeResult {
  const type = schemaType('verification-result')
  // All results share one scratch buffer, because encoding is synchronous. The result is copied out at its actual
  // length.
  const scratch = Buffer.allocUnsafe(SCRATCH_BYTES)
  scratch.writeUInt8(0, 0)
  scratch.writeInt32BE(schemaId, 1)
  return (result) => {
    const end = type.encode(result, scratch, HEADER_BYTES)
    // A negative end means that the buffer was too small.
    if (end < 0) return Buffer.concat([scratch.subarray(0, HEADER_BYTES), type.toBuffer(result)])
    return Buffer.from(scratch.subarray(0, end))
  }
}
