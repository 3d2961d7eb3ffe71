/** Generates headers as any program may write them. The protocol only requires that a name is present. */
import type { Dice } from './dice.ts'
import { CANARY } from './events.ts'
import type { Header } from './record-batch.ts'

/** The bytes of the name. */
function utf8(text: string): string {
  return Buffer.from(text).toString('latin1')
}

const NAMES = [
  'plain',
  '',
  '0',
  '17',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'then',
  'traceparent',
  'tracestate',
  'TraceParent',
  'checkresult-reason',
  'checkresult-source',
  'checkresult-attempts',
  'checkresult-first-seen',
  'checkresult-redrives',
  'checkresult-force',
  'checkresult-anything',
  '__connect.errors.topic',
  '__connect.errors.offset',
  '__connect.errors.exception.message',
  utf8('名前'),
  'with blank\nand newline',
  '\u0000',
  utf8('\u{1f600}'),
  // Not UTF-8, because C clients can write such names.
  '\u00ff\u00fe',
  'caf\u00e9',
] as const

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
/** A map, because names such as `toString` are looked up in it. */
const FORGED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'checkresult-source': 'elsewhere:0:7',
    'checkresult-attempts': '1000000',
    'checkresult-first-seen': '1',
    'checkresult-redrives': '2',
    '__connect.errors.topic': 'elsewhere',
    '__connect.errors.offset': '-7',
  }),
)

const MAX_HEADERS = 6
const MANY = { min: 100, max: 800 } as const
const LONG_NAME = 5_000
const LARGE_BYTES = 60_000

export function headersOf(dice: Dice): readonly Header[] {
  switch (dice.weighted({ none: 40, trace: 15, few: 40, repeated: 3, many: 1, large: 1 })) {
    case 'none':
      return []
    case 'trace':
      return [
        ['traceparent', Buffer.from(TRACEPARENT)],
        ['tracestate', Buffer.from('vendor=1')],
      ]
    case 'few':
      return Array.from({ length: dice.between(1, MAX_HEADERS) }, () => headerOf(dice))
    case 'repeated':
      return repeated(dice)
    case 'many':
      return Array.from({ length: dice.between(MANY.min, MANY.max) }, (_, at): Header => [
        dice.chance(0.5) ? `many-${at}` : dice.pick(NAMES),
        valueOf(dice),
      ])
    case 'large':
      return [
        ['large', dice.bulk(dice.between(1_000, LARGE_BYTES))],
        ['n'.repeat(dice.between(1, LONG_NAME)), dice.bytes(3)],
      ]
  }
}

function repeated(dice: Dice): readonly Header[] {
  const name = dice.pick(NAMES)
  const other = dice.pick(NAMES)
  return Array.from({ length: dice.between(2, MAX_HEADERS) }, (): Header => [
    dice.chance(0.7) ? name : other,
    valueOf(dice),
  ])
}

function headerOf(dice: Dice): Header {
  const name = dice.pick(NAMES)
  const forged = FORGED.get(name)
  return forged !== undefined && dice.chance(0.5) ? [name, Buffer.from(forged)] : [name, valueOf(dice)]
}

function valueOf(dice: Dice): Buffer | null {
  switch (dice.weighted({ null: 3, empty: 1, text: 4, binary: 3 })) {
    case 'null':
      return null
    case 'empty':
      return Buffer.alloc(0)
    case 'text':
      return Buffer.from(dice.pick([CANARY, '1', TRACEPARENT, 'true', `${CANARY}\n`, '测试']))
    case 'binary':
      return dice.bytes(dice.between(1, 40))
  }
}
