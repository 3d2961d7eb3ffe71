/**
 * The interfaces between the pipeline and the outside world, as types only. Adapters implement these types; the
 * pipeline and the service see nothing else of Kafka, the registry, the vendor or Prometheus. Expected failures are
 * values; an exception is a defect.
 */
import type { Reply } from './core/calls/answer.ts'
import type { CallTicket } from './core/calls/call-ticket.ts'
import type { DeadLetterReason } from './core/dead-letters/dead-letter.ts'
import type { DeferReason } from './core/records/defer.ts'
import type { CircuitReason } from './core/calls/circuit-breaker.ts'
import type { Headers } from './core/records/headers.ts'
import type { LeftOut } from './core/dead-letters/left-out.ts'
import type { ResultFacts } from './core/normalize/result-facts.ts'
import type { VerificationCompleted, VerificationResult } from './core/records/schema-types.ts'
import type { TopicPartition } from './core/partitions/topic-partition.ts'

/** One Kafka record with its bytes unchanged. */
export interface InputRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** The record's own timestamp, in milliseconds since the epoch. */
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
  /** The parts that are too large to keep in memory. They are null (or empty) above. Absent if there are none. */
  readonly leftOut?: readonly LeftOut[]
  /**
   * Set if the stored bytes are a damaged batch that cannot be read. The record stands for all offsets from this one to
   * `offset`; nothing else is known about it.
   */
  readonly unreadableFrom?: bigint
}

/** One record to write. */
export interface OutputRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

/** Why the brokers did not carry out a request. */
export interface Failure {
  /**
   * The protocol error's name or a system error's code, for example `MESSAGE_TOO_LARGE`. It is the label of
   * `partition_blocked_offset`.
   */
  readonly code: string
  /** For the operator: what is wrong and what to do. Contains no value of a record. */
  readonly message: string
  /** It goes away without intervention: the brokers are unreachable, or the partition's leader is changing. */
  readonly temporary: boolean
}

/** The outcome of one transaction, or of outputs written without one. */
export type PublishOutcome =
  | { readonly kind: 'committed' }
  /** Another group member has claimed the shard. Only with transactions. The sink can only be closed. */
  | { readonly kind: 'fenced' }
  /**
   * The outcome is unknown. The sink can only be closed. The next claim finds out whether the transaction was committed.
   */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /**
   * The brokers will never accept one of the outputs as it is. With transactions, nothing was committed. The sink can be
   * used again.
   */
  | { readonly kind: 'refused'; readonly failure: Failure }

/** The offset to commit for a partition, which is the next one to read. */
export interface PartitionOffset extends TopicPartition {
  readonly nextOffset: bigint
}

/**
 * Where the outputs of a shard are written, together with the offsets of its partitions. Created by {@link ClaimShard}.
 *
 * Exactly once: all or nothing, one transaction at a time. At least once: all in-sync replicas acknowledge the outputs,
 * then the offsets are committed in the background, never before them.
 */
export interface OutputSink {
  /**
   * The committed offset to read next, as of the claim that fenced the previous owner; null if none was ever committed.
   */
  committedOffset(of: TopicPartition): bigint | null
  /**
   * Opens a transaction early, because a call for a record of this input partition has started whose output will need
   * one. Returns at once and never throws.
   */
  prepare(partition: number): void
  /** Never rejects. */
  publish(outputs: readonly OutputRecord[], offsets: readonly PartitionOffset[]): Promise<PublishOutcome>
  /**
   * Closes the connections. The next claim aborts a transaction that is still open; offsets that are still pending are
   * committed first, if this replica still owns the partitions. Never rejects.
   */
  close(): Promise<void>
}

/**
 * Fences the previous owner of a shard (with transactions), then reads the committed offsets of its partitions. Never
 * rejects.
 */
export type ClaimShard = (shard: number, partitions: readonly TopicPartition[]) => Promise<Claimed>

export type Claimed =
  | { readonly kind: 'claimed'; readonly sink: OutputSink }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** The offsets from `begin` (inclusive) to `end` (exclusive). */
export interface PartitionRange {
  readonly partition: number
  readonly begin: bigint
  readonly end: bigint
}

/** A snapshot of a topic: everything that was committed when it was opened, read without a consumer group. */
export interface TopicReader {
  /** One per partition. */
  readonly ranges: readonly PartitionRange[]
  /**
   * The records of a range in order, one chunk in memory at a time. Rejects with a message for the operator if the
   * brokers reject the request.
   */
  read(range: PartitionRange): AsyncIterable<readonly InputRecord[]>
  /** Never rejects. */
  close(): Promise<void>
}

/** Writes events and their redrive receipts in one transaction at a time, all or nothing. */
export interface RedriveSink {
  readonly partitions: PartitionCounts
  /** Never rejects. After `refused` the sink can be used again; after `fenced` and `failed` it can only be closed. */
  publish(outputs: readonly OutputRecord[]): Promise<PublishOutcome>
  /** Never rejects. */
  close(): Promise<void>
}

/** The number of partitions of a topic. Called for each output, so it answers from memory. */
export type PartitionCounts = (topic: string) => number

/** How a lane controls the consumer for its partition. None of these methods throws. */
export interface PartitionFlow {
  pause(): void
  resume(): void
  /** Continues reading at `offset`; null is the beginning of the partition. */
  seek(offset: bigint | null): void
}

/** Why an event cannot be decoded. A closed set: the `checkresult-code` of the dead letter. */
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
 * Why a record is not one of our events: no value, the Avro schema of another record, a format that is neither Avro nor
 * JSON, or JSON without any of our fields. A closed set: the label of the counter and the code of a dead letter.
 */
export const FOREIGN_KINDS = ['tombstone', 'wrong-schema', 'unknown-format', 'unrelated-json'] as const
export type ForeignKind = (typeof FOREIGN_KINDS)[number]

export type Decoded =
  | { readonly kind: 'event'; readonly event: VerificationCompleted }
  | { readonly kind: 'foreign'; readonly foreign: ForeignKind; readonly message: string }
  /** `message` names fields and types, never values. */
  | { readonly kind: 'undecodable'; readonly code: Undecodable; readonly message: string }

/**
 * Decodes an event. Waits and retries while the registry is unreachable and the schema id is unknown. Resolves to null
 * if the service stops in the meantime.
 */
export type DecodeEvent = (value: Buffer | null, headers: Headers) => Decoded | Promise<Decoded | null>

/** Encodes a result in the Confluent wire format. Total, because `normalize` only creates encodable results. */
export type EncodeResult = (result: VerificationResult) => Buffer

/**
 * Makes one signed call. Never rejects. Resolves within `withinMs`, or to null if the ticket was not confirmed. The
 * caller releases the ticket.
 */
export type CheckResult = (
  event: Pick<VerificationCompleted, 'transactionId' | 'merchantBizId'>,
  withinMs: number,
  ticket: CallTicket,
) => Promise<Reply | null>

/** Permits are granted by priority. Each lower priority keeps a small guaranteed share. */
export const PRIORITIES = ['fresh', 'deferred', 'redriven'] as const
export type Priority = (typeof PRIORITIES)[number]

/**
 * The quota of this replica, or one shared with others. Synchronous; callers pass the monotonic time. None of these
 * methods throws. If a limiter depends on something with no known time, it calls its listener when a new attempt makes
 * sense.
 */
export interface RateLimiter {
  /**
   * Returns 0 if a permit was taken; {@link confirm} must follow. Otherwise returns the milliseconds until a permit is
   * due, or Infinity if the listener will be called. `waiting` is the number of permits that could be used now,
   * including this one, so that a limiter can request them ahead. Only called while a record waits, and again after
   * every change; the waiting record may be dropped in between.
   */
  take(nowMs: number, waiting: number): number
  /**
   * Called once for each permit that was taken, right before the first byte of its call is written, because a stall or
   * a handshake may happen in between: the permit counts from now on. If it returns false, the permit has expired,
   * nothing may be written, and another permit is needed. Also called for calls that failed before anything was
   * written, if that is known.
   */
  confirm(takenMs: number, nowMs: number): boolean
  /** A message for the operator if no permit can be granted at all; null otherwise. It opens the circuit breaker. */
  readonly unavailable: string | null
  /**
   * Registers the one listener. It is called, but never from within {@link take}, when a permit may be due earlier than
   * announced or `unavailable` has changed.
   */
  onAvailable(listener: () => void): void
  /**
   * The API answered "too many requests" although a permit was granted: grants no permit before `retryAfterMs` have
   * passed.
   */
  throttled(nowMs: number, retryAfterMs: number | null): void
}

/** Monotonic time for intervals, epoch time for timestamps. Timers use the monotonic time. */
export interface Clock {
  monotonicMs(): number
  epochMs(): number
  /** Calls `callback` once after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, callback: () => void): () => void
}

/** The same moment on both clocks. */
export interface Moment {
  readonly monotonicMs: number
  readonly epochMs: number
}

/** Writes log lines with allow-listed fields. Texts of records, answers and vendor errors are never logged. */
export interface Log {
  /**
   * Absent unless LOG_LEVEL is `debug`, so `log.debug?.(...)` evaluates its arguments only then.
   */
  readonly debug?: (message: string, fields?: LogFields) => void
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
  /** A message from our own code. */
  readonly detail?: string
  /** `errorType`, `stack`, `code` and `detail` come from `safeError`. */
  readonly errorType?: string
  readonly stack?: string
}

/** Everything that is counted. Labels come from closed sets. Implementations never throw. */
export interface Metrics {
  consumed(topic: string, records: number): void
  /** One call has returned. `code` is the body's `Code` or the `failure` of a {@link Reply}. */
  called(call: { code: string; outcome: CallOutcome; seconds: number }): void
  /**
   * A result's transaction was committed. `endToEndSeconds` is the time from the event's timestamp to the commit, or
   * null if that timestamp is implausible.
   */
  resultCommitted(result: ResultFacts, endToEndSeconds: number | null): void
  /** A retry copy's transaction was committed. */
  deferred(reason: DeferReason): void
  /** A dead letter's transaction was committed. */
  deadLettered(reason: DeadLetterReason): void
  /**
   * An event was skipped and its offset committed, because another event of its partition had the same transaction id.
   */
  duplicate(): void
  /** A record that is not an event was skipped or written to the dead-letter topic, and its offset committed. */
  foreign(kind: ForeignKind): void
  /** An event was read whose key does not contain its transaction id. */
  unkeyed(): void
  /** A record was committed whose timestamp is implausible and therefore left out of ages and latencies. */
  implausibleTimestamp(): void
  /** Records were read again after a rebalance and recognized by their offsets: no call, no output. */
  redelivered(records: number): void
  /** The document of an answer could not be read, so the result was written without one. */
  unreadableDocument(): void
  /** An OCR member with a value could not be kept in a result. `member` is its name, or `other`. */
  droppedMember(member: string): void
  /** One {@link OutputSink.publish}: a transaction, or outputs written without one. */
  transaction(outcome: PublishOutcome['kind'], seconds: number): void
  /** One request that commits offsets after their outputs. At-least-once delivery only. */
  offsetCommit(outcome: 'committed' | 'failed'): void
  permitGranted(priority: Priority, waitedSeconds: number): void
  permitsWaiting(waiting: Readonly<Record<Priority, number>>): void
  quota(limitPerSecond: number, sharePerSecond: number): void
  /** The calls per second that this replica allows now: its share, reduced after throttling. */
  quotaRate(perSecond: number): void
  wastedCall(reason: WastedCall): void
  /** Slots that were reserved in Redis but not used in time. */
  slotsWasted(slots: number): void
  inFlight(calls: number): void
  circuit(openReason: CircuitReason | null): void
  laneBacklog(records: number): void
  lag(topic: string, partition: number, records: number): void
  /**
   * The partition is blocked because its record at `offset` cannot be written, or because it cannot be claimed. Null:
   * it continues.
   */
  blocked(topic: string, partition: number, block: { offset: bigint; code: string } | null): void
  /** Timestamp of the partition's oldest record without a committed output; null if there is none. */
  oldestUnsettled(topic: string, partition: number, timestampMs: number | null): void
  /** Offsets were deleted from the partition before they were read. */
  offsetsLost(topic: string, offsets: number): void
  /**
   * How long another producer's open transaction has kept records of the partition from being read; null if none does.
   */
  openTransaction(topic: string, partition: number, seconds: number | null): void
  /** How long the partition's leader has not answered; null if it answers. */
  leaderSilent(topic: string, partition: number, seconds: number | null): void
  /** The partition is no longer assigned to this replica, so its series are removed. */
  partitionLost(topic: string, partition: number): void
  rebalanced(): void
  heartbeat(epochMs: number): void
  /** The access key was renewed, or could not be. Never called for a key from the environment, which is not renewed. */
  credentialRefresh(outcome: CredentialRefresh): void
  /** When the current access key expires; null if it never does or that is unknown. */
  credentialsExpire(epochMs: number | null): void
  /** Records that wait for the registry to return their schema. */
  registryWaiting(records: number): void
  registryRequest(operation: 'schema-by-id' | 'id-by-schema', outcome: 'ok' | 'not-found' | 'failed'): void
}

/**
 * Calls that used quota for nothing. `throttled`: the API rejected the call because there were too many. `repeated`:
 * the API answered, but a call for the same record was made again before its output was committed.
 */
export const WASTED_CALLS = ['throttled', 'repeated'] as const
export type WastedCall = (typeof WASTED_CALLS)[number]

export const CREDENTIAL_REFRESHES = ['ok', 'failed'] as const
export type CredentialRefresh = (typeof CREDENTIAL_REFRESHES)[number]

export const CALL_OUTCOMES = ['final', 'deferred', 'throttled', 'unavailable', 'rejected', 'blocked'] as const
export type CallOutcome = (typeof CALL_OUTCOMES)[number]
