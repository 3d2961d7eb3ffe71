/** `dlq show`: all there is to say of one letter. Its key, its value and its event's own headers only when asked for. */
import type { Config } from '../../config.ts'
import { withoutOurs } from '../../core/dead-letter.ts'
import { nameBytes } from '../../core/headers.ts'
import { placeName, type Letter, type LetterPlace } from '../../core/letter.ts'
import { OperatorError } from '../../core/safe-error.ts'
import { scanLetters, type DeadLetterSource, type Found } from '../../pipeline/dead-letters.ts'
import type { Decoded, InputRecord } from '../../ports.ts'
import { withDeadLetters } from './dead-letter-topic.ts'
import { decodeOnce } from './decode-once.ts'
import { count, sourceName } from './render.ts'

export interface ShowOptions {
  readonly showPersonal?: true
}

export async function show(config: Config, place: LetterPlace, options: ShowOptions): Promise<void> {
  const found = await withDeadLetters(config, (source) => letterAt(source, place))
  const decoded = await decodeOnce(config, found.record)
  const lines = [...factLines(found, decoded), ...(options.showPersonal ? personalLines(found, decoded) : [])]
  process.stdout.write(`${lines.join('\n')}\n`)
}

export type FoundLetter = Extract<Found, { kind: 'letter' }>

export async function letterAt(source: DeadLetterSource, place: LetterPlace): Promise<FoundLetter> {
  for await (const found of scanLetters({ ...source, partitions: new Set([place.partition]) })) {
    if (found.kind === 'letter' && found.letter.offset === place.offset) return found
  }
  throw new OperatorError(`No dead letter stands at ${placeName(place)}: \`dlq list\` shows where they are.`)
}

/** Null: the registry did not say. */
export type MaybeDecoded = Decoded | null

export function factLines(
  { letter, record, redriven, foreign }: FoundLetter,
  decoded: MaybeDecoded,
): string[] {
  const own = withoutOurs(record.headers)
  const rows: [name: string, value: string][] = [
    ['at', placeName(letter)],
    ['event', sourceName(letter)],
    ['pipeline', foreign ? 'another one: the event is not from one of our topics' : 'ours'],
    ...letterRows(letter),
    ['put back', redriven ? 'yes' : 'no'],
    ['key', record.key === null ? 'none' : `${count(record.key.length, 'byte')}, --show-personal shows it`],
    ['value', record.value === null ? 'none' : count(record.value.length, 'byte')],
    ['decodes', decodes(decoded)],
    ['own headers', count(own.length, 'header')],
    ...(letter.leftOut.length === 0
      ? []
      : [['left out', `${letter.leftOut.join(', ')}: read the event at its source`] as [string, string]]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}`)
}

function letterRows(letter: Letter): [name: string, value: string][] {
  return [
    ['reason', letter.reason],
    ['code', letter.code],
    ['stage', letter.stage],
    ['message', letter.message],
    ['attempts', String(letter.attempts)],
    ['redrives', String(letter.redrives)],
    ['failed at', new Date(letter.failedAtMs).toISOString()],
    ['service', letter.service],
  ]
}

function decodes(decoded: MaybeDecoded): string {
  if (decoded === null) return 'unknown: the schema registry does not answer'
  if (decoded.kind === 'event') return 'yes'
  return `no (${decoded.kind === 'foreign' ? decoded.foreign : decoded.code}): ${decoded.message}`
}

export function personalLines({ record }: Pick<FoundLetter, 'record'>, decoded: MaybeDecoded): string[] {
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
function valueText({ value }: InputRecord, decoded: MaybeDecoded): string {
  if (value === null) return 'none'
  if (value[0] !== BRACE && decoded?.kind === 'event') return JSON.stringify(decoded.event, null, 2)
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
