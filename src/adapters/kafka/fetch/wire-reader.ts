/** Reads values of Kafka's binary responses. An invalid length throws a RangeError. */
export class WireReader {
  protected readonly payload: Buffer
  protected at = 0

  constructor(payload: Buffer) {
    this.payload = payload
  }

  int8(): number {
    this.at += 1
    return this.payload.readInt8(this.at - 1)
  }

  int16(): number {
    this.at += 2
    return this.payload.readInt16BE(this.at - 2)
  }

  int32(): number {
    this.at += 4
    return this.payload.readInt32BE(this.at - 4)
  }

  int64(): bigint {
    this.at += 8
    return this.payload.readBigInt64BE(this.at - 8)
  }

  string(): string {
    return this.text(this.int16())
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int32())
    this.at += length
    return this.payload.subarray(this.at - length, this.at)
  }

  protected text(length: number): string {
    this.at += length
    return this.payload.toString('utf8', this.at - length, this.at)
  }
}
