/**
 * The coordinator's side of the group requests: reads their bytes and encodes the responses, so that the wire format is
 * tested too.
 */
import {
  API_KEYS,
  DecoderClass,
  EncoderClass,
  type Broker,
  type Exchange,
} from '../../src/adapters/kafka/kafkajs/internals.ts'

export interface GroupRequest {
  readonly api: 'JoinGroup' | 'SyncGroup' | 'Heartbeat' | 'LeaveGroup' | 'DescribeGroups'
  readonly memberId: string
  /** Null if the request has none. */
  readonly instanceId: string | null
  readonly generation: number
  /** The number of assignments in a SyncGroup. */
  readonly assignments: number
}

export interface GroupAnswer {
  readonly generation: number
  readonly leaderId: string
  readonly memberId: string
  readonly assignment: Buffer
  /** For DescribeGroups. */
  readonly members: readonly { readonly memberId: string; readonly clientHost: string }[]
}

/** The request versions of a broker that knows static members, or of an older one. */
export function groupVersions({
  hasStaticMembers,
}: {
  readonly hasStaticMembers: boolean
}): Broker['versions'] {
  return Object.fromEntries(
    Object.entries(hasStaticMembers ? STATIC_VERSIONS : OLD_VERSIONS).map(([api, maxVersion]) => [
      API_KEYS[api as GroupRequest['api']],
      { maxVersion },
    ]),
  )
}

const STATIC_VERSIONS = { JoinGroup: 9, SyncGroup: 5, Heartbeat: 4, LeaveGroup: 5, DescribeGroups: 5 }
const OLD_VERSIONS = { JoinGroup: 4, SyncGroup: 2, Heartbeat: 2, LeaveGroup: 2, DescribeGroups: 2 }

interface Decoder {
  readInt32(): number
  readString(): string | null
  readBytes(): Buffer
  readArray<T>(read: (decoder: Decoder) => T): T[]
}

interface Encoder {
  readonly buffer: Buffer
  writeInt16(value: number): Encoder
  writeInt32(value: number): Encoder
  writeString(value: string | null): Encoder
  writeBytes(value: Buffer): Encoder
  writeArray(values: readonly Encoder[]): Encoder
}

const encoder = (): Encoder => new EncoderClass() as unknown as Encoder

export async function readGroupRequest({ request }: Exchange): Promise<GroupRequest> {
  const { apiName, apiVersion, encode } = request as {
    apiName: GroupRequest['api']
    apiVersion: number
    encode: () => Promise<{ readonly buffer: Buffer }>
  }
  const decoder = new DecoderClass((await encode()).buffer) as Decoder
  const read = { api: apiName, memberId: '', instanceId: null, generation: -1, assignments: 0 }
  if (apiName === 'DescribeGroups') return read
  decoder.readString()
  const member = (from: Decoder, isStatic: boolean) => ({
    memberId: from.readString() ?? '',
    instanceId: isStatic ? from.readString() : null,
  })
  switch (apiName) {
    case 'JoinGroup':
      decoder.readInt32()
      decoder.readInt32()
      return { ...read, ...member(decoder, apiVersion >= 5) }
    case 'LeaveGroup':
      if (apiVersion < 3) return { ...read, ...member(decoder, false) }
      return { ...read, ...decoder.readArray((one) => member(one, true))[0] }
    default: {
      const generation = decoder.readInt32()
      const identity = member(decoder, apiVersion >= 3)
      if (apiName === 'Heartbeat') return { ...read, ...identity, generation }
      const { length } = decoder.readArray((one) => [one.readString(), one.readBytes()])
      return { ...read, ...identity, generation, assignments: length }
    }
  }
}

/** The response without an error, as the client reads it. */
export async function answerGroupRequest(exchange: Exchange, answer: GroupAnswer): Promise<unknown> {
  const api = exchange.request['apiName'] as GroupRequest['api']
  const version = Number(exchange.request['apiVersion'])
  const decoded: unknown = exchange.response.decode(encodeAnswer(api, version, answer))
  return exchange.response.parse((await decoded) as object)
}

function encodeAnswer(api: GroupRequest['api'], version: number, answer: GroupAnswer): Buffer {
  const { generation, leaderId, memberId, assignment, members } = answer
  if (api === 'DescribeGroups') {
    const described = members.map((one) =>
      encoder()
        .writeString(one.memberId)
        .writeString('client')
        .writeString(one.clientHost)
        .writeBytes(Buffer.alloc(0))
        .writeBytes(Buffer.alloc(0)),
    )
    const group = encoder().writeInt16(0).writeString('group').writeString('Stable')
    group.writeString('consumer').writeString('test').writeArray(described)
    return encoder().writeInt32(0).writeArray([group]).buffer
  }
  const head = encoder().writeInt32(0).writeInt16(0)
  if (api === 'SyncGroup') return head.writeBytes(assignment).buffer
  if (api === 'LeaveGroup' && version >= 3) return head.writeArray([]).buffer
  if (api !== 'JoinGroup') return head.buffer
  const joined = encoder().writeString(memberId)
  if (version >= 5) joined.writeString(null)
  const members_ = leaderId === memberId ? [joined.writeBytes(Buffer.alloc(0))] : []
  return head
    .writeInt32(generation)
    .writeString('test')
    .writeString(leaderId)
    .writeString(memberId)
    .writeArray(members_).buffer
}
