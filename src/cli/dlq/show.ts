/** `dlq show`: shows one dead letter. It shows the key, the value and the event's own headers only with `--show-personal`. */
import { withoutOurs } from '../../core/dead-letters/dead-letter.ts'
import { nameBytes } from '../../core/records/headers.ts'
import { positionName, type DeadLetterPosition } from '../../core/dead-letters/stored-dead-letter.ts'
import { OperatorError } from '../../core/safe-error.ts'
import { scanDeadLetters, type DlqReader, type Found } from '../../pipeline/dead-letters/dead-letters.ts'
import type { InputRecord } from '../../ports.ts'
import { withDeadLetters, type DlqConfig } from './dead-letter-topic.ts'
import { createEventReader, type Reading } from './event-reader.ts'
import { count, deadLetterJson, sourceName } from './render.ts'
import { terminalJson } from '../terminal-json.ts'

export interface ShowOptions {
  readonly showPersonal?: true
  readonly json?: true
}

export async function show(
  config: DlqConfig,
  position: DeadLetterPosition,
  options: ShowOptions,
): Promise<void> {
  const showPersonal = options.showPersonal === true
  const found = await withDeadLetters(config, (dlq) => deadLetterAt(dlq, position))
  const reading = await (await createEventReader(config)).read(found.record)
  const text = options.json
    ? terminalJson({ ...factsJson(found, reading), ...(showPersonal ? personalJson(found, reading) : {}) })
    : [...factLines(found, reading), ...(showPersonal ? personalLines(found, reading) : [])].join('\n')
  process.stdout.write(`${text}\n`)
}

export type FoundDeadLetter = Extract<Found, { kind: 'dead-letter' }>

export async function deadLetterAt(dlq: DlqReader, position: DeadLetterPosition): Promise<FoundDeadLetter> {
  for await (const found of scanDeadLetters({ ...dlq, partitions: new Set([position.partition]) })) {
    if (found.kind === 'dead-letter' && found.deadLetter.offset === position.offset) return found
  }
  throw new OperatorError(
    `There is no dead letter at ${positionName(position)}: run \`dlq list\` for the positions.`,
  )
}

export function factLines(
  { deadLetter, record, redriven, foreign }: FoundDeadLetter,
  reading: Reading,
): string[] {
  const { leftOut } = deadLetter
  const rows: [name: string, value: string][] = [
    ['position', positionName(deadLetter)],
    ['event', sourceName(deadLetter)],
    ['pipeline', foreign ? 'another one: the event is not from one of our topics' : 'ours'],
    ['reason', deadLetter.reason],
    ['code', deadLetter.code],
    ['stage', deadLetter.stage],
    ['message', deadLetter.message],
    ['attempts', String(deadLetter.attempts)],
    ['earlier redrives', String(deadLetter.redrives)],
    ['failed at', new Date(deadLetter.failedAtMs).toISOString()],
    ['service', deadLetter.service],
    ['put back', redriven ? 'yes' : 'no'],
    ['key', record.key === null ? 'none' : `${count(record.key.length, 'byte')} (--show-personal prints it)`],
    ['value', record.value === null ? 'none' : count(record.value.length, 'byte')],
    ['readable', readable(reading)],
    ['own headers', count(withoutOurs(record.headers).length, 'header')],
    ...(leftOut.length === 0
      ? []
      : [['left out', `${leftOut.join(', ')} (read the event at its source)`] as [string, string]]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}`)
}

function readable(reading: Reading): string {
  switch (reading.kind) {
    case 'unread':
      return `unknown: ${UNREAD[reading.why]}`
    case 'event':
      return 'yes'
    case 'foreign':
      return `no (${reading.foreign}): ${reading.message}`
    case 'undecodable':
      return `no (${reading.code}): ${reading.message}`
  }
}

const UNREAD = {
  'no-registry': 'the value is Avro, and SCHEMA_REGISTRY_URL is not set',
  'no-answer': 'the schema registry does not answer',
} as const

/** The same facts as {@link factLines}. */
export function factsJson(
  { deadLetter, record, redriven, foreign }: FoundDeadLetter,
  reading: Reading,
): Readonly<Record<string, unknown>> {
  return {
    ...deadLetterJson(deadLetter),
    foreign,
    redriven,
    keyBytes: record.key?.length ?? null,
    valueBytes: record.value?.length ?? null,
    ownHeaders: withoutOurs(record.headers).length,
    ...readableJson(reading),
  }
}

/** `readable` is null if it is not known. */
function readableJson(reading: Reading): Readonly<Record<string, unknown>> {
  switch (reading.kind) {
    case 'unread':
      return { readable: null, unreadable: { code: reading.why, message: UNREAD[reading.why] } }
    case 'event':
      return { readable: true, unreadable: null }
    case 'foreign':
      return { readable: false, unreadable: { code: reading.foreign, message: reading.message } }
    case 'undecodable':
      return { readable: false, unreadable: { code: reading.code, message: reading.message } }
  }
}

export function personalLines({ record }: Pick<FoundDeadLetter, 'record'>, reading: Reading): string[] {
  const headers = ownHeaders(record).map(
    ({ name, value }) => `  ${terminalJson(shown(name))}: ${value === null ? 'null' : shown(value)}`,
  )
  return [
    '',
    `key: ${record.key === null ? 'none' : shown(bytesText(record.key))}`,
    ...(headers.length === 0 ? [] : ['own headers:', ...headers]),
    'value:',
    valueText(record, reading),
  ]
}

/** JSON as it came; Avro as JSON if it can be read; anything else in base64. */
function valueText({ value }: InputRecord, reading: Reading): string {
  if (value === null) return 'none'
  if (value[0] !== BRACE && reading.kind === 'event') return terminalJson(reading.event)
  return shown(value[0] === BRACE ? bytesText(value) : { base64: value.toString('base64') })
}

/** The output of {@link personalLines} as JSON; bytes that are not plain text are an object with the member `base64`. */
export function personalJson(
  { record }: Pick<FoundDeadLetter, 'record'>,
  reading: Reading,
): Readonly<Record<string, unknown>> {
  const { key, value } = record
  return {
    key: key === null ? null : bytesText(key),
    headers: ownHeaders(record),
    value: value === null ? null : bytesText(value),
    event: reading.kind === 'event' ? reading.event : null,
  }
}

interface OwnHeader {
  readonly name: Shown
  readonly value: Shown | null
}

function ownHeaders({ headers }: InputRecord): OwnHeader[] {
  return withoutOurs(headers).map((header) => ({
    name: bytesText(nameBytes(header)),
    value: header.value === null ? null : bytesText(header.value),
  }))
}

const BRACE = 0x7b
const utf8 = new TextDecoder('utf-8', { fatal: true })

type Shown = string | { readonly base64: string }

/** A carriage return is safe only before a line end: alone it lets text overwrite its own line. */
const UNSAFE = /[^\P{C}\n\r\t]|[\p{Zl}\p{Zp}]|\r(?!\n)/u

/** Base64 if there are control characters, because a terminal would obey them. */
function bytesText(bytes: Buffer): Shown {
  const encoded = { base64: bytes.toString('base64') }
  try {
    const text = utf8.decode(bytes)
    return UNSAFE.test(text) ? encoded : text
  } catch {
    return encoded
  }
}

function shown(text: Shown): string {
  return typeof text === 'string' ? text : `base64 ${text.base64}`
}
