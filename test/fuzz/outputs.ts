/** Checks that a result or a dead letter matches its record, byte for byte if it is a copy. */
import { createHash } from 'node:crypto'
import avsc from 'avsc'
import { schemaJson } from '../../src/adapters/registry/schemas.ts'
import type { VerificationResult } from '../../src/core/records/schema-types.ts'
import { CANARY } from './events.ts'
import { encodeHeaders, type Header, type StoredRecord } from './record-batch.ts'
import type { Outcome } from './kinds.ts'
import type { FuzzRecord } from './records.ts'

export interface Names {
  readonly input: string
  readonly result: string
  readonly deadLetter: string
}

export interface Difference {
  readonly kind: 'changed' | 'leaked' | 'wrong'
  readonly detail: string
}

interface Source {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

const HEADER_BYTES = 5
/** `checkresult-force` comes from the producer, so copies keep it. */
const OURS = /^(checkresult-(?!force$)|__connect\.errors\.)/
const TRACING = new Set(['traceparent', 'tracestate'])
/** The maximum number of headers that a result keeps. */
const LARGE_TRACE_BYTES = 8_192

const resultType = avsc.Type.forSchema(JSON.parse(schemaJson('verification-result')) as avsc.Schema)

function decode({ value }: StoredRecord): VerificationResult | null {
  try {
    return resultType.fromBuffer((value ?? Buffer.alloc(0)).subarray(HEADER_BYTES)) as VerificationResult
  } catch {
    return null
  }
}

/** Null if the output does not contain it. */
export function sourceOf(outcome: Outcome, stored: StoredRecord): Source | null {
  if (outcome === 'result') {
    const result = decode(stored)
    return result === null ? null : { ...result.source, offset: BigInt(result.source.offset) }
  }
  const offset = text(stored, '__connect.errors.offset')
  return /^\d+$/.test(offset)
    ? {
        topic: text(stored, '__connect.errors.topic'),
        partition: Number(text(stored, '__connect.errors.partition')),
        offset: BigInt(offset),
      }
    : null
}

export function checkResult({ event, plan, headers }: FuzzRecord, stored: StoredRecord): Difference[] {
  const result = decode(stored)
  if (result === null) return [{ kind: 'changed', detail: 'The result cannot be decoded.' }]
  const differences: Difference[] = []
  const wrong = (detail: string): number => differences.push({ kind: 'wrong', detail })
  if (stored.key?.toString() !== result.transactionId) wrong('The key is not the transactionId.')
  if (event !== null) {
    for (const name of ['transactionId', 'merchantBizId', 'productCode', 'docType', 'completedAt'] as const)
      if (result[name] !== event[name]) wrong(`${name} differs from the event.`)
    if (plan.verdict !== null && result.verdict !== plan.verdict) wrong(`The verdict is ${result.verdict}.`)
  }
  const traced = headers.filter(([name]) => TRACING.has(name))
  const carried = traced.filter(([, value]) => (value?.length ?? 0) <= LARGE_TRACE_BYTES)
  if (!isSame(stored.headers, traced) && !isSame(stored.headers, carried))
    differences.push({
      kind: 'changed',
      detail: `Its headers should be empty, but are ${shown(stored.headers)}.`,
    })
  return differences
}

export function checkDeadLetter(record: FuzzRecord, stored: StoredRecord): Difference[] {
  const differences: Difference[] = []
  const changed = (detail: string): number => differences.push({ kind: 'changed', detail })
  const own = stored.headers.filter(([name]) => !OURS.test(name))
  const ours = stored.headers.filter(([name]) => OURS.test(name))
  const wanted = record.headers.filter(([name]) => !OURS.test(name))
  if (!areHeadersRight(own, record, stored))
    changed(`Its headers are ${shown(own)} instead of ${shown(wanted)}.`)
  if (!isKeyRight(stored, record))
    changed(`The key differs from the record${describeOmission(stored, 'key')}.`)
  if (!isValueRight(stored, record))
    changed(`The value differs from the record${describeOmission(stored, 'value')}.`)
  for (const [name, value] of ours)
    if (value?.toString('latin1').includes(CANARY) === true)
      differences.push({ kind: 'leaked', detail: `The header ${name} contains a value of the event.` })
  const names = ours.map(([name]) => name)
  if (new Set(names).size < names.length) changed('Some headers of the service are duplicated.')
  if (text(stored, 'checkresult-reason') === '') changed('The header checkresult-reason is missing.')
  return differences
}

function describeOmission(stored: StoredRecord, field: 'key' | 'value'): string {
  const said = leftOut(stored, field)
  return said === null ? '' : ` (declared as omitted: ${said})`
}

/** Null if the header is not present. */
function leftOut(stored: StoredRecord, field: 'key' | 'value' | 'headers'): string | null {
  const name = `checkresult-left-out-${field}`
  return stored.headers.some(([one]) => one === name) ? text(stored, name) : null
}

/** Whether the dead letter omits these bytes and states their length and SHA-256. */
function omits(stored: StoredRecord, field: 'key' | 'value' | 'headers', bytes: Buffer): boolean {
  const said = leftOut(stored, field)
  if (said === null) return false
  return said === `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}`
}

function isKeyRight(stored: StoredRecord, { key }: FuzzRecord): boolean {
  if (isEqual(stored.key, key)) return true
  // A key that replaces one that is too long, or a missing one if the topic requires keys.
  const at = (name: string): string => text(stored, `__connect.errors.${name}`)
  const isSource = stored.key?.toString() === `${at('topic')}:${at('partition')}:${at('offset')}`
  return isSource && (key === null || omits(stored, 'key', key))
}

function isValueRight(stored: StoredRecord, { value }: FuzzRecord): boolean {
  if (isEqual(stored.value, value)) return true
  return stored.value === null && value !== null && omits(stored, 'value', value)
}

function areHeadersRight(own: readonly Header[], { headers }: FuzzRecord, stored: StoredRecord): boolean {
  const wanted = headers.filter(([name]) => !OURS.test(name))
  if (isSame(own, wanted)) return true
  // All headers if there were too many to read, otherwise only those that the service did not add.
  return own.length === 0 && [headers, wanted].some((all) => omits(stored, 'headers', encodeHeaders(all)))
}

function isSame(one: readonly Header[], other: readonly Header[]): boolean {
  return (
    one.length === other.length &&
    one.every(([name, value], at) => other[at]?.[0] === name && isEqual(value, other[at][1]))
  )
}

function isEqual(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other)
}

function text({ headers }: StoredRecord, name: string): string {
  return headers.findLast(([one]) => one === name)?.[1]?.toString() ?? ''
}

const MAX_SHOWN = 12

function shown(headers: readonly Header[]): string {
  const parts = headers
    .slice(0, MAX_SHOWN)
    .map(([name, value]) => `${JSON.stringify(name)}=${value === null ? 'null' : `${value.length} bytes`}`)
  return `[${parts.join(', ')}${headers.length > MAX_SHOWN ? ', ...' : ''}]`
}
