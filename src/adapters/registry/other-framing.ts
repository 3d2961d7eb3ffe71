/** Recognizes encodings that this version does not read, and returns a message for the event's producer. Pure. */

interface Framing {
  /** Matches the first bytes in hexadecimal. */
  readonly starts: RegExp
  readonly minBytes: number
  readonly message: string
}

const UTF_8_EXPECTED = 'JSON must be UTF-8.'

/** `7b` is the opening brace of a JSON object. White space, a quote or the closing brace may follow it. */
const FRAMINGS: readonly Framing[] = [
  {
    starts: /^(?:fffe0000|0000feff000000|7b000000)/,
    minBytes: 4,
    message: `The value is UTF-32 text. ${UTF_8_EXPECTED}`,
  },
  {
    starts: /^(?:fffe|feff|7b00|007b00(?:20|09|0a|0d|22|7d))/,
    minBytes: 2,
    message: `The value is UTF-16 text. ${UTF_8_EXPECTED}`,
  },
  {
    starts: /^01/,
    minBytes: 17,
    message:
      'The value begins with the byte 1, behind which Confluent serializers write the GUID of a schema. This version reads schema ids of four bytes behind the byte 0.',
  },
  {
    starts: /^03(?:00|05)/,
    minBytes: 18,
    message:
      'The value begins like one of the AWS Glue serializer (3, compression, a UUID). This version reads the framing of Confluent serializers.',
  },
  {
    starts: /^c301/,
    minBytes: 10,
    message:
      'The value is Avro in the single-object encoding (C3 01). This version reads the framing of Confluent serializers.',
  },
  {
    starts: /^4f626a01/,
    minBytes: 4,
    message:
      'The value is an Avro container file. This version reads single values in the framing of Confluent serializers.',
  },
]
const MAX_START_BYTES = 8
const BRACE = 0x7b

/** Null if the value has none of these encodings. */
export function otherFraming(value: Buffer): string | null {
  // Nearly all values are JSON, or framed with an id that has leading zeros. Three bytes are enough to recognize
  // them.
  const [first, second, third] = value
  if (first === 0 && second !== BRACE && third !== 0xfe) return null
  if (first === BRACE && second !== 0) return null
  const start = value.toString('hex', 0, MAX_START_BYTES)
  return (
    FRAMINGS.find(({ starts, minBytes }) => value.length >= minBytes && starts.test(start))?.message ?? null
  )
}
