/**
 * The events that the demo sends: every scenario of the simulator once, some values that cannot be decoded, and an
 * everyday mix that mostly passes. The same count gives the same plan.
 */
import type { DocumentFamily } from '../../src/core/records/schema-types.ts'
import { hash } from '../../simulator/hash.ts'
import { createMix } from '../../simulator/mix.ts'
import { SCENARIOS, scenarioOf, type Scenario } from '../../simulator/scenarios.ts'
import type { Outcome } from './outcome.ts'

export type Content =
  | {
      readonly kind: 'event'
      readonly scenario: Pick<Scenario, 'name' | 'docType'>
      readonly encoding: 'avro' | 'json'
    }
  | { readonly kind: 'bytes'; readonly value: Buffer | null }

export interface PlannedEvent {
  /** From 1. Makes the transaction id unique. */
  readonly number: number
  readonly content: Content
  readonly expected: Outcome
  /** Whether it goes through a retry topic. */
  readonly defers: boolean
}

type Kind = Omit<PlannedEvent, 'number'>

const FAMILY_BY_DOC_TYPE: Readonly<Record<string, DocumentFamily>> = {
  '00000001': 'MAINLAND_RESIDENT_IDENTITY_CARD',
  '00000006': 'HONG_KONG_IDENTITY_CARD',
  '00000007': 'EXIT_ENTRY_PERMIT_HONG_KONG_MACAO',
  '00000008': 'HONG_KONG_IDENTITY_CARD',
  '00000009': 'MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS',
  '00000012': 'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS',
  '01000000': 'PASSPORT',
  GLB03002: 'PASSPORT',
  MAC01001: 'MACAO_IDENTITY_CARD',
}

/** Without a document type the simulator answers with a Hong Kong card, which is recognized by its members. */
const FAMILY_WITHOUT_DOC_TYPE: DocumentFamily = 'HONG_KONG_IDENTITY_CARD'

const UNDECODABLE: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from('{"transactionId":'),
  Buffer.from('{"transactionId":"nobody"}', 'utf16le'),
  Buffer.from('<event><transactionId>nobody</transactionId></event>'),
  Buffer.from('{"merchantBizId":"nobody"}'),
]

/** Retried more than once. */
const LONG_WAITS = ['notyet2', 'pending2']

const SHARES: readonly (readonly [prefix: string, weight: number])[] = [
  ['pass', 80],
  ['fail', 11],
  ['risk', 6],
  ['notyet', 3],
]

const SEED = 1

export function planEvents(count: number): readonly PlannedEvent[] {
  const once = oneOfEach()
  const everyday = createMix(everydayWeights(), SEED)
  const kinds = Array.from({ length: count }, (_, at) => {
    return once[at] ?? eventOf(everyday(String(at)).scenario, at)
  })
  return kinds
    .map((kind, at) => ({ kind, draw: drawOf(kind, at) }))
    .sort((left, right) => left.draw - right.draw)
    .map(({ kind: { content, expected, defers } }, at) => ({ number: at + 1, content, expected, defers }))
}

function oneOfEach(): Kind[] {
  return [
    ...UNDECODABLE.map(undecodable),
    ...SCENARIOS.map((scenario, at) => eventOf(scenario, at)),
    ...LONG_WAITS.map((name, at) => eventOf(scenarioCalled(name), at, name)),
  ]
}

function scenarioCalled(name: string): Scenario {
  const named = scenarioOf(name)
  if (named === null) throw new Error(`The simulator has no scenario ${name}.`)
  return named.scenario
}

function everydayWeights(): Record<string, number> {
  return Object.fromEntries(
    SHARES.flatMap(([prefix, weight]) => {
      const names = SCENARIOS.map(({ name }) => name).filter((name) => isEveryday(name, prefix))
      return names.map((name) => [name, weight / names.length])
    }),
  )
}

/** One scenario of each family; excludes numbered ones such as `pass205`. */
function isEveryday(name: string, prefix: string): boolean {
  return name === prefix || (name.startsWith(prefix) && !/^\d+$/.test(name.slice(prefix.length)))
}

function undecodable(value: Buffer): Kind {
  return {
    content: { kind: 'bytes', value },
    expected: { kind: 'dead-letter', reason: 'undecodable' },
    defers: false,
  }
}

/** `name` may add the number of calls, which the scenario's own name does not contain. */
function eventOf(scenario: Scenario, at: number, name = scenario.name): Kind {
  const { docType, defers } = scenario
  const encoding = at % 2 === 0 ? 'avro' : 'json'
  return {
    content: { kind: 'event', scenario: { name, docType }, encoding },
    expected: outcomeExpected(scenario),
    defers,
  }
}

function outcomeExpected({ expected, docType }: Scenario): Outcome {
  switch (expected.kind) {
    case 'result': {
      const { verdict, risky, document } = expected
      return { kind: 'result', verdict, risky, family: document ? familyOf(docType) : null }
    }
    case 'dead-letter':
      return expected
    case 'deferred':
      return { kind: 'dead-letter', reason: 'not-completed' }
  }
}

function familyOf(docType: string | null): DocumentFamily {
  return docType === null ? FAMILY_WITHOUT_DOC_TYPE : (FAMILY_BY_DOC_TYPE[docType] ?? 'OTHER')
}

/**
 * Shuffles the events, but puts those that are deferred into the first third and those that expire at the very
 * beginning, so that the demo does not end by waiting for them.
 */
function drawOf({ defers, expected }: Kind, at: number): number {
  const draw = hash(`${SEED}:place:${at}`) / 2 ** 32
  if (!defers) return draw
  return expected.kind === 'dead-letter' ? 0 : draw / 3
}
