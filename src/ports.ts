/**
 * What the pipeline needs of the world, as types only. Adapters implement these; the pipeline and the service see
 * nothing else of Kafka, the registry, the vendor or Prometheus. Expected failures are values; what throws is a defect.
 */
import type { Reply } from './core/answer.ts'
import type { DeadLetterReason } from './core/dead-letter.ts'
import type { DeferReason } from './core/defer.ts'
import type { CircuitReason } from './core/circuit-breaker.ts'
import type { Headers } from './core/headers.ts'
import type { LeftOut } from './core/left-out.ts'
import type { ResultFacts } from './core/normalize/result-facts.ts'
import type { VerificationCompleted, VerificationResult } from './core/schema-types.ts'

/** One Kafka record as it came, bytes untouched. */
export interface InputRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch, as the record carries it. */
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
  /** The parts that are too large to be kept in memory. They are null (or empty) above. Absent if there are none. */
  readonly leftOut?: readonly LeftOut[]
  /**
   * Set if the stored bytes cannot be read: a damaged batch. The record stands for all offsets from this one to its own;
   * nothing else of it is known.
   */
  readonly unreadableFrom?: bigint
}

/** One record to be written. */
export interface OutputRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

/** Why the brokers did not do what they were asked to do. */
export interface Failure {
  /** The protocol error's name or a system error's code, e.g. `MESSAGE_TOO_LARGE`: the label of `partition_blocked_offset`. */
  readonly code: string
  /** For the operator: what is wrong and what to do. Names no value of a record. */
  readonly message: string
  /** It ends by itself: the brokers are away, or one takes over from another. */
  readonly passing: boolean
}

/** What became of one transaction, or of outputs written without one. After anything but `committed` the sink must be closed and claimed again. */
export type PublishOutcome =
  | { readonly kind: 'committed' }
  /** Another member has claimed the partition. Only with transactions. */
  | { readonly kind: 'fenced' }
  /** Outcome unknown: the next claim tells whether it was committed. */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** One of the outputs will never be accepted as it is. With transactions nothing was committed. */
  | { readonly kind: 'refused'; readonly failure: Failure }

/**
 * Where the outputs of one input partition go, together with its offset. Exactly once: all or nothing, one transaction at
 * a time. At least once: the outputs are acknowledged by all in-sync replicas, the offset follows in the background; it
 * never goes before them. Made by {@link ClaimPartition}.
 */
export interface OutputSink {
  /** The offset to read next, as committed when the claim fenced the former owner; null where nothing ever was. */
  readonly committedOffset: bigint | null
  /** A call has started whose output will need a transaction: opens it meanwhile. Returns at once, never throws. */
  prepare(): void
  /** Never rejects. */
  publish(outputs: readonly OutputRecord[], nextOffset: bigint): Promise<PublishOutcome>
  /**
   * Lets go of the connection. An open transaction is left for the next claim to abort; an offset that is still to follow
   * its outputs is committed first, if the partition is still ours. Never rejects.
   */
  close(): Promise<void>
}

/** Fences the former owner of an input partition (with transactions), then reads what it committed. Never rejects. */
export type ClaimPartition = (topic: string, partition: number) => Promise<Claimed>

export type Claimed =
  | { readonly kind: 'claimed'; readonly sink: OutputSink }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** The offsets from `begin` up to, and without, `end`. */
export interface PartitionRange {
  readonly partition: number
  readonly begin: bigint
  readonly end: bigint
}

/** A topic as it was when it was opened: what was committed by then, read without a consumer group. */
export interface TopicReader {
  /** One per partition. */
  readonly ranges: readonly PartitionRange[]
  /**
   * The records of a range in order, some at a time; not more than that is in memory. Rejects with a message when the
   * brokers refuse.
   */
  read(range: PartitionRange): AsyncIterable<readonly InputRecord[]>
  /** Never rejects. */
  close(): Promise<void>
}

/** Puts dead letters back: events and redrive receipts, all or nothing. One transaction at a time. */
export interface RedriveSink {
  readonly partitions: PartitionCounts
  /** Never rejects. After `refused` the sink can be used again, after `fenced` and `failed` it can only be closed. */
  publish(outputs: readonly OutputRecord[]): Promise<PublishOutcome>
  /** Never rejects. */
  close(): Promise<void>
}

/** How many partitions a topic has; asked for each output, answered from memory. */
export type PartitionCounts = (topic: string) => number

/** The lane's hold on the consumer: for one partition. None of these throws. */
export interface PartitionFlow {
  pause(): void
  resume(): void
  /** Reads again from `offset`; null is the beginning of the partition. */
  seek(offset: bigint | null): void
}

/** Why an event cannot be read. A closed set: the `checkresult-code` of the dead letter. */
export const UNDECODABLE = [
  'empty-value',
  'value-too-large',
  'record-too-large',
  'damaged-batch',
  'unsupported-format',
  'unknown-schema',
  'unreadable-schema',
  'malformed-avro',
  'malformed-json',
  'invalid-utf8',
  'invalid-event',
] as const
export type Undecodable = (typeof UNDECODABLE)[number]

/**
 * Why a record is not one of our events: no value, another record's Avro schema, a format that is neither Avro nor JSON, JSON
 * without any of our fields. A closed set: the label of the counter, and the code of a dead letter.
 */
export const FOREIGN_KINDS = ['tombstone', 'wrong-schema', 'unknown-format', 'unrelated-json'] as const
export type ForeignKind = (typeof FOREIGN_KINDS)[number]

export type Decoded =
  | { readonly kind: 'event'; readonly event: VerificationCompleted }
  | { readonly kind: 'foreign'; readonly foreign: ForeignKind; readonly message: string }
  /** `message` names fields and types, never values. */
  | { readonly kind: 'undecodable'; readonly code: Undecodable; readonly message: string }

/**
 * Bytes to event. Waits (and retries) while the registry is unreachable and the schema id is not yet known; null when
 * the service stopped meanwhile.
 */
export type DecodeEvent = (value: Buffer | null, headers: Headers) => Decoded | Promise<Decoded | null>

/** Result to bytes in the Confluent wire format. Total: `normalize` only makes encodable results. */
export type EncodeResult = (result: VerificationResult) => Buffer

/** The right to make one call. */
export interface CallTicket {
  /** Must be called right before the first byte of the call is written. False: it must not be written. */
  confirm(): boolean
}

/** One signed call. Never rejects; answers within `withinMs`, or null if `ticket` was not confirmed. */
export type CheckResult = (
  event: Pick<VerificationCompleted, 'transactionId' | 'merchantBizId'>,
  withinMs: number,
  ticket: CallTicket,
) => Promise<Reply | null>

/** Permits are granted by priority, each lower one keeping a small floor. */
export const PRIORITIES = ['fresh', 'deferred', 'redriven'] as const
export type Priority = (typeof PRIORITIES)[number]

/**
 * The quota, of this replica or shared with others. Synchronous, told the monotonic time; none of these throws. It may
 * have to ask elsewhere, or to wait for something that has no date: then it says by its listener when to come again.
 */
export interface RateLimiter {
  /**
   * 0: a permit is taken, and {@link confirm} follows. Else the milliseconds until one is due, or Infinity: the
   * listener will be told. `waiting` is how many permits could be used now, this one included: so many may be asked for
   * ahead. Only called while somebody waits, and again whenever something happens; who waits may go away again.
   */
  take(nowMs: number, waiting: number): number
  /**
   * Once for each permit taken, right before its call's first byte is written: it counts from now on, not from when it was
   * taken, for a stall or a handshake may lie between. False: it is not good any more; nothing must be written, and another
   * is needed. A call that came to nothing before it was written is told of as well, when that is known.
   */
  confirm(takenMs: number, nowMs: number): boolean
  /** Why no permit can be had at all, for the circuit breaker: a message of our own making; null while they can be. */
  readonly unavailable: string | null
  /**
   * Called, not from within {@link take}, when a permit may be due earlier than was last said, or when `unavailable` has
   * changed. One listener.
   */
  onAvailable(listener: () => void): void
  /** The API said "too many" all the same: no permit before `retryAfterMs` have passed. */
  throttled(nowMs: number, retryAfterMs: number | null): void
}

/** Monotonic for intervals, epoch for timestamps; timers run on the monotonic one. */
export interface Clock {
  monotonicMs(): number
  epochMs(): number
  /** Calls back once after `delayMs`; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void
}

/** One moment on both clocks. */
export interface Moment {
  readonly monotonicMs: number
  readonly epochMs: number
}

/** Log lines of an allow-listed shape: no text of a record, an answer or a vendor's error ever gets in. */
export interface Log {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export interface LogFields {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: string
  readonly partitions?: string
  readonly code?: string
  readonly reason?: string
  readonly outcome?: string
  readonly attempt?: number
  readonly count?: number
  readonly durationMs?: number
  readonly address?: string
  /** A message of our own making. */
  readonly detail?: string
  /** These two, with `code` and `detail`, come from `safeError`. */
  readonly errorType?: string
  readonly stack?: string
}

/** What is counted. Labels come from closed sets; implementations never throw. */
export interface Metrics {
  consumed(topic: string, records: number): void
  /** One call has come back; `code` is the body's `Code` or a {@link Reply} failure. */
  called(call: { code: string; outcome: CallOutcome; seconds: number }): void
  /**
   * A result's transaction has committed; `endToEndSeconds` from the event record's timestamp to the commit, null where that
   * timestamp cannot be true.
   */
  resultCommitted(result: ResultFacts, endToEndSeconds: number | null): void
  /** A retry copy's transaction has committed. */
  deferred(reason: DeferReason): void
  /** A dead letter's transaction has committed. */
  deadLettered(reason: DeadLetterReason): void
  /** The commit is through that passes over an event whose transaction another one of its partition had. */
  duplicate(): void
  /** The commit is through that passes over a record that is not an event, or that puts it on the dead-letter topic. */
  foreign(kind: ForeignKind): void
  /** An event was read whose key does not contain its transaction. */
  unkeyed(): void
  /** A record was committed whose timestamp is left out of ages and latencies, because it cannot be true. */
  implausibleTimestamp(): void
  /** A record came again after a rebalance and was recognized by its offset: no call, no output. */
  redelivered(records: number): void
  /** A document answer that could not be read; the result went out without a document. */
  unreadableDocument(): void
  /** An OCR member of a result said something that could not be kept; `member` is its name, or `other`. */
  droppedMember(member: string): void
  /** One {@link OutputSink.publish}: a transaction, or outputs written without one. */
  transaction(outcome: PublishOutcome['kind'], seconds: number): void
  /** One request that commits offsets behind their outputs; at-least-once delivery only. */
  offsetCommit(outcome: 'committed' | 'failed'): void
  permitGranted(priority: Priority, waitedSeconds: number): void
  permitsWaiting(waiting: Readonly<Record<Priority, number>>): void
  quota(limitPerSecond: number, sharePerSecond: number): void
  /** Calls per second this replica lets through now: its share, less what throttling has cost. */
  quotaRate(perSecond: number): void
  wastedCall(reason: WastedCall): void
  /** Slots of a quota counted in Redis that were reserved and not used in time. */
  slotsWasted(slots: number): void
  inFlight(calls: number): void
  circuit(openReason: CircuitReason | null): void
  laneBacklog(records: number): void
  lag(topic: string, partition: number, records: number): void
  /** The partition waits: its record at `offset` cannot be written, or the partition cannot be claimed. Null: it goes on. */
  blocked(topic: string, partition: number, block: { offset: bigint; code: string } | null): void
  /** Timestamp of the oldest record of the partition that has no committed output; null when there is none. */
  oldestUnsettled(topic: string, partition: number, timestampMs: number | null): void
  /** So many offsets were deleted before they were read. */
  offsetsLost(topic: string, offsets: number): void
  /** For how long a transaction of another producer has kept records of the partition from being read; null while none does. */
  openTransaction(topic: string, partition: number, seconds: number | null): void
  /** For how long the partition's leader has not answered; null while it does. */
  leaderSilent(topic: string, partition: number, seconds: number | null): void
  /** The partition is not ours any more: its series go. */
  partitionLost(topic: string, partition: number): void
  rebalanced(): void
  heartbeat(epochMs: number): void
  /** The keys calls are signed with are renewed, or were not; those from the environment never are. */
  credentialRefresh(outcome: CredentialRefresh): void
  /** When the keys at hand expire; null when that is not known, or never. */
  credentialsExpire(epochMs: number | null): void
  /** Records that wait for the registry to tell their schema. */
  registryWaiting(records: number): void
  registryRequest(operation: 'schema-by-id' | 'id-by-schema', outcome: 'ok' | 'not-found' | 'failed'): void
}

/**
 * `throttled`: refused for there were too many. `repeated`: answered, but the record went on to be asked for again, by this
 * replica or another, before its output was committed.
 */
export const WASTED_CALLS = ['throttled', 'repeated'] as const
export type WastedCall = (typeof WASTED_CALLS)[number]

export const CREDENTIAL_REFRESHES = ['ok', 'failed'] as const
export type CredentialRefresh = (typeof CREDENTIAL_REFRESHES)[number]

export const CALL_OUTCOMES = ['final', 'deferred', 'throttled', 'unavailable', 'rejected', 'blocked'] as const
export type CallOutcome = (typeof CALL_OUTCOMES)[number]
