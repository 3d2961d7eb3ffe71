/**
 * Generates the records. Number N of a seed is always the same record, so records are not stored: to send or compare
 * one, generate it again.
 */
import type { VerificationCompleted } from '../../src/core/records/schema-types.ts'
import {
  ANY,
  DEAD_LETTER,
  framing,
  healthy,
  large,
  NO_RESULT,
  oddJson,
  oddTime,
  padded,
  SKIP,
  type Content,
  type Making,
  type World,
} from './contents.ts'
import { planOf, type AnswerPlan } from './answers.ts'
import { Dice } from './dice.ts'
import { CANARY, eventOf, framed, toJson } from './events.ts'
import { headersOf } from './headers.ts'
import { kindOf, type Kind, type Outcome } from './kinds.ts'
import { mutate } from './mutate.ts'
import type { BatchRecord } from './record-batch.ts'

export interface FuzzRecord extends BatchRecord {
  readonly number: number
  readonly kind: Kind
  /** For the report: the kind and the variant. */
  readonly about: string
  /** The permitted outcomes. */
  readonly outcomes: ReadonlySet<Outcome>
  /** The event that the service must find in it, if any. */
  readonly event: VerificationCompleted | null
  readonly plan: AnswerPlan
  /** Whether it is a healthy event with a healthy answer, which must have its result within seconds. */
  readonly isGood: boolean
  /** Whether it must be alone in its batch to reach its intended size. */
  readonly isAlone: boolean
}

export function recordOf(world: World, number: number): FuzzRecord {
  const { seed, nowMs } = world
  const kind = kindOf(seed, number)
  const dice = new Dice('record', seed, number)
  const event = eventOf(dice, { seed, number, nowMs, isPlain: kind === 'good' })
  const plan = planOf(seed, number)
  const content = contentOf(kind, { world, number, dice, event })
  const outcomes = content.event === null ? allowed(world, content.outcomes ?? ANY) : plan.outcomes
  return {
    number,
    kind,
    about: content.about,
    timestampMs: timestampOf(dice, nowMs),
    key: content.key === undefined ? keyOf(dice, event) : content.key,
    value: content.value,
    headers: content.headers ?? headersOf(dice),
    outcomes,
    event: content.event,
    plan,
    isGood: content.event !== null && plan.isHealthy && kind !== 'duplicate',
    isAlone: content.isAlone ?? false,
  }
}

/**
 * Records that are not events may be skipped only if the service is configured to do so. Repeated events may always
 * be skipped.
 */
function allowed({ foreignRecords }: World, outcomes: ReadonlySet<Outcome>): ReadonlySet<Outcome> {
  return foreignRecords === 'skip' || outcomes.has('result') ? outcomes : DEAD_LETTER
}

function contentOf(kind: Kind, making: Making): Content {
  const { world, dice, event, number } = making
  switch (kind) {
    case 'good':
    case 'answered':
      return { about: 'event', value: healthy(making), event }
    case 'variation': {
      const { name, meaning, id, encode, read } = dice.pick(world.schemas.avro)
      const value = framed(id, encode(event))
      if (meaning === 'event') return { about: name, value, event: read(event) }
      return { about: name, value, event: null, outcomes: meaning === 'foreign' ? SKIP : ANY }
    }
    case 'mutated':
      return { about: 'mutation', value: mutate(healthy(making), dice), event: null }
    case 'random':
      return { about: 'random bytes', value: dice.bytes(dice.below(300)), event: null }
    case 'tombstone':
      return { about: 'tombstone', value: null, event: null, outcomes: SKIP }
    case 'duplicate':
      return duplicateOf(making)
    case 'padded':
      return padded(making)
    case 'json':
      return oddJson(making)
    case 'framing':
      return framing(making)
    case 'time':
      return oddTime(making)
    case 'large':
      return large(making)
    case 'inflating': {
      const bytes = dice.pick([2, 5, 20, 60]) * 1_024 * 1_024
      const value = Buffer.alloc(bytes, dice.pick([0x20, 0x7b, 0]))
      return {
        about: `inflates to ${bytes} bytes`,
        value,
        event: null,
        outcomes: NO_RESULT,
        isAlone: true,
        headers: [],
        key: Buffer.from(`${CANARY}${number}`),
      }
    }
  }
}

function duplicateOf(making: Making): Content {
  const { world, number } = making
  if (number === 0 || !isRepeatable(world.seed, number - 1))
    return { about: 'no duplicate', value: healthy(making), event: making.event }
  const { event } = recordOf(world, number - 1)
  if (event === null) throw new Error(`Record ${number - 1} has no event.`)
  return { about: `duplicate of ${number - 1}`, value: toJson(event), event: null, outcomes: ANY }
}

/** Whether the next record may be a duplicate of this one. */
function isRepeatable(seed: number, number: number): boolean {
  const kind = kindOf(seed, number)
  return kind === 'good' || kind === 'answered'
}

/** Whether the next record has the same transaction, so that one of the two may be skipped. */
export function isRepeated(seed: number, number: number): boolean {
  return isRepeatable(seed, number) && kindOf(seed, number + 1) === 'duplicate'
}

const HOUR_MS = 3_600_000

function timestampOf(dice: Dice, nowMs: number): bigint {
  switch (dice.weighted({ now: 80, none: 4, zero: 4, one: 4, past: 4, ahead: 3, far: 1 })) {
    case 'now':
      return BigInt(nowMs + dice.below(1_000))
    case 'none':
      return -1n
    case 'zero':
      return 0n
    case 'one':
      return 1n
    case 'past':
      return BigInt(nowMs - dice.below(10_000) * HOUR_MS)
    case 'ahead':
      return BigInt(nowMs + HOUR_MS / 2)
    case 'far':
      return BigInt(nowMs) * BigInt(dice.between(1_000, 1_000_000))
  }
}

const LARGE_KEY_BYTES = 20_000

function keyOf(dice: Dice, { transactionId }: VerificationCompleted): Buffer | null {
  switch (dice.weighted({ transaction: 60, none: 12, empty: 5, other: 10, binary: 10, large: 3 })) {
    case 'transaction':
      return Buffer.from(transactionId)
    case 'none':
      return null
    case 'empty':
      return Buffer.alloc(0)
    case 'other':
      return Buffer.from(dice.pick([CANARY, '0', 'null', '__proto__', `${CANARY}\n`]))
    case 'binary':
      return dice.bytes(dice.between(1, 30))
    case 'large':
      return dice.bulk(LARGE_KEY_BYTES)
  }
}
