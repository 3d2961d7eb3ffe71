/**
 * What the demo sends: every scenario of the simulator once and some values nobody can decode, filled up with an
 * everyday mix that mostly passes. The same count gives the same plan.
 */
import type { DocumentFamily } from '../../src/core/schema-types.ts'
import { hash } from '../../src/simulator/hash.ts'
import { createMix } from '../../src/simulator/mix.ts'
import { SCENARIOS, scenarioOf, type Scenario } from '../../src/simulator/scenarios.ts'
import type { Outcome } from './outcome.ts'

export type Content =
  | {
      readonly kind: 'event'
      readonly scenario: Pick<Scenario, 'name' | 'docType'>
      readonly encoding: 'avro' | 'json'
    }
  | { readonly kind: 'bytes'; readonly value: Buffer | null }

export interface PlannedEvent {
  /** From 1; what makes its transaction unique. */
  readonly number: number
  readonly content: Content
  readonly expected: Outcome
  /** It goes through a retry topic. */
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

/** Without a document type the simulator answers with a Hong Kong card, which its members tell. */
const FAMILY_WITHOUT_DOC_TYPE: DocumentFamily = 'HONG_KONG_IDENTITY_CARD'

const UNDECODABLE: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from('{"transactionId":'),
  Buffer.from('{"transactionId":"nobody"}', 'utf16le'),
  Buffer.from('<event><transactionId>nobody</transactionId></event>'),
  Buffer.from('{"merchantBizId":"nobody"}'),
]

/** Asked for again more than once. */
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
    .map((kind, at) => ({ kind, place: placeOf(kind, at) }))
    .sort((left, right) => left.place - right.place)
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
  if (named === null) throw new Error(`The simulator knows no scenario ${name}.`)
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

/** One of each family, not `pass205`. */
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

/** `name` may say for how many calls, as the scenario's own does not. */
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
 * Shuffled, but with those that wait in the first third, and those that wait until they are too old at the very
 * beginning: the demo should not end with waiting for them.
 */
function placeOf({ defers, expected }: Kind, at: number): number {
  const place = hash(`${SEED}:place:${at}`) / 2 ** 32
  if (!defers) return place
  return expected.kind === 'dead-letter' ? 0 : place / 3
}
