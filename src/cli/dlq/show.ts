/** `dlq show`: all there is to say of one letter. Its key, its value and its event's own headers only when asked for. */
import { withoutOurs } from '../../core/dead-letter.ts'
import { nameBytes } from '../../core/headers.ts'
import {
  positionName,
  type StoredDeadLetter,
  type DeadLetterPosition,
} from '../../core/stored-dead-letter.ts'
import { OperatorError } from '../../core/safe-error.ts'
import { scanDeadLetters, type DlqReader, type Found } from '../../pipeline/dead-letters.ts'
import type { InputRecord } from '../../ports.ts'
import { withDeadLetters, type DlqConfig } from './dead-letter-topic.ts'
import { createEventReader, type Reading } from './event-reader.ts'
import { count, sourceName } from './render.ts'

export interface ShowOptions {
  readonly showPersonal?: true
}

export async function show(
  config: DlqConfig,
  place: DeadLetterPosition,
  options: ShowOptions,
): Promise<void> {
  const found = await withDeadLetters(config, (source) => deadLetterAt(source, place))
  const decoded = await (await createEventReader(config)).read(found.record)
  const lines = [...factLines(found, decoded), ...(options.showPersonal ? personalLines(found, decoded) : [])]
  process.stdout.write(`${lines.join('\n')}\n`)
}

export type FoundDeadLetter = Extract<Found, { kind: 'dead-letter' }>

export async function deadLetterAt(dlq: DlqReader, position: DeadLetterPosition): Promise<FoundDeadLetter> {
  for await (const found of scanDeadLetters({ ...dlq, partitions: new Set([position.partition]) })) {
    if (found.kind === 'dead-letter' && found.deadLetter.offset === position.offset) return found
  }
  throw new OperatorError(
    `No dead letter stands at ${positionName(position)}: \`dlq list\` shows where they are.`,
  )
}

export function factLines(
  { deadLetter, record, redriven, foreign }: FoundDeadLetter,
  decoded: Reading,
): string[] {
  const own = withoutOurs(record.headers)
  const rows: [name: string, value: string][] = [
    ['at', positionName(deadLetter)],
    ['event', sourceName(deadLetter)],
    ['pipeline', foreign ? 'another one: the event is not from one of our topics' : 'ours'],
    ...deadLetterRows(deadLetter),
    ['put back', redriven ? 'yes' : 'no'],
    ['key', record.key === null ? 'none' : `${count(record.key.length, 'byte')}, --show-personal shows it`],
    ['value', record.value === null ? 'none' : count(record.value.length, 'byte')],
    ['decodes', decodes(decoded)],
    ['own headers', count(own.length, 'header')],
    ...(deadLetter.leftOut.length === 0
      ? []
      : [['left out', `${deadLetter.leftOut.join(', ')}: read the event at its source`] as [string, string]]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}`)
}

function deadLetterRows(deadLetter: StoredDeadLetter): [name: string, value: string][] {
  return [
    ['reason', deadLetter.reason],
    ['code', deadLetter.code],
    ['stage', deadLetter.stage],
    ['message', deadLetter.message],
    ['attempts', String(deadLetter.attempts)],
    ['redrives', String(deadLetter.redrives)],
    ['failed at', new Date(deadLetter.failedAtMs).toISOString()],
    ['service', deadLetter.service],
  ]
}

function decodes(decoded: Reading): string {
  if (decoded.kind === 'unread') return `unknown: ${UNREAD[decoded.why]}`
  if (decoded.kind === 'event') return 'yes'
  return `no (${decoded.kind === 'foreign' ? decoded.foreign : decoded.code}): ${decoded.message}`
}

const UNREAD = {
  'no-registry': 'the value is Avro, and SCHEMA_REGISTRY_URL is not set',
  'no-answer': 'the schema registry does not answer',
} as const

export function personalLines({ record }: Pick<FoundDeadLetter, 'record'>, decoded: Reading): string[] {
  const headers = withoutOurs(record.headers).map(
    (header) =>
      `  ${JSON.stringify(bytesText(nameBytes(header)))}: ${header.value === null ? 'null' : bytesText(header.value)}`,
  )
  return [
    '',
    `key: ${record.key === null ? 'none' : bytesText(record.key)}`,
    ...(headers.length === 0 ? [] : ['own headers:', ...headers]),
    'value:',
    valueText(record, decoded),
  ]
}

/** JSON as it came; Avro as JSON where it can be read; anything else in base64. */
function valueText({ value }: InputRecord, decoded: Reading): string {
  if (value === null) return 'none'
  if (value[0] !== BRACE && decoded.kind === 'event') return JSON.stringify(decoded.event, null, 2)
  return value[0] === BRACE ? bytesText(value) : base64(value)
}

const BRACE = 0x7b
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Text where it is nothing but text: a terminal would obey what else it may hold. */
function bytesText(bytes: Buffer): string {
  try {
    const text = utf8.decode(bytes)
    return /[^\P{C}\n\r\t]/u.test(text) ? base64(bytes) : text
  } catch {
    return base64(bytes)
  }
}

function base64(bytes: Buffer): string {
  return `base64 ${bytes.toString('base64')}`
}
