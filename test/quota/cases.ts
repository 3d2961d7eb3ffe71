/** All cases, and the selection of some. Pure. */
import { QUOTA_MODES, type QuotaMode } from '../../src/core/quota/quota-mode.ts'
import { DISTURBANCES, type Disturbance } from './disturbances.ts'
import { LOADS, type Load } from './loads.ts'
import type { Options } from './options.ts'

export interface Case {
  /** For `--only`. */
  readonly name: string
  readonly mode: QuotaMode
  /** N. */
  readonly permits: number
  readonly replicas: number
  readonly load: Load
  /** Part of `--short`. */
  readonly essential: boolean
  /** Maximum random delay of an answer, on top of its usual time. */
  readonly answerJitterMs?: number
  /** Maximum random network delay in each direction. */
  readonly networkJitterMs?: number
  readonly guardMs?: number
  readonly disturbance?: Disturbance
}

const PERMITS = [5, 10, 50, 200] as const
const REPLICAS = [1, 2, 4] as const
/** Those that are combined with each N and number of replicas. */
const BACKLOGS = LOADS.filter((load) => load !== 'light' && load !== 'wide')

/** The service's default. */
export const GUARD_MS = 20
const JITTER_MS = 30

/** Cases without a disturbance that are part of `--short`. Disturbances have their own flag. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  'partition-n5-r4',
  'partition-n50-r4',
  'partition-light-n50-r2',
  'redis-n50-r4',
  'redis-n200-r4',
])

/**
 * Each N with each number of replicas. The backlogs form a Latin square, which differs between the modes, so each N and
 * each number of replicas is combined with each backlog.
 */
function calm(mode: QuotaMode): Case[] {
  return PERMITS.flatMap((permits, row) =>
    REPLICAS.map((replicas, column): Case => {
      const load = BACKLOGS[(row + column + QUOTA_MODES.indexOf(mode)) % BACKLOGS.length] ?? 'even'
      const name = `${mode}-n${permits}-r${replicas}`
      return { name: `${name}-${load}`, mode, permits, replicas, load, essential: ESSENTIAL.has(name) }
    }),
  )
}

const LIGHT = [
  { permits: 10, replicas: 4 },
  { permits: 50, replicas: 2 },
  { permits: 200, replicas: 1 },
]

function light(mode: QuotaMode): Case[] {
  return LIGHT.map(({ permits, replicas }) => {
    const name = `${mode}-light-n${permits}-r${replicas}`
    return { name, mode, permits, replicas, load: 'light', essential: ESSENTIAL.has(name) }
  })
}

const USUAL_REPLICAS = 3
const USUAL = { permits: 50, replicas: USUAL_REPLICAS, load: 'even', essential: false } as const

function wide(mode: QuotaMode): Case[] {
  return [{ ...USUAL, mode, name: `${mode}-wide`, load: 'wide' }]
}

function jittery(mode: QuotaMode): Case[] {
  return [
    { ...USUAL, mode, name: `${mode}-answer-jitter`, answerJitterMs: JITTER_MS },
    { ...USUAL, mode, name: `${mode}-network-jitter`, networkJitterMs: JITTER_MS, guardMs: JITTER_MS },
  ]
}

function disturbed(mode: QuotaMode): Case[] {
  return DISTURBANCES.filter(({ only = mode }) => only === mode).map((disturbance) => ({
    name: `${mode}-${disturbance.name}`,
    mode,
    permits: USUAL.permits,
    replicas: disturbance.replicas ?? USUAL_REPLICAS,
    load: USUAL.load,
    disturbance,
    essential: disturbance.essentialIn?.includes(mode) ?? false,
  }))
}

export const CASES: readonly Case[] = [calm, light, wide, jittery, disturbed].flatMap((kind) =>
  QUOTA_MODES.flatMap(kind),
)

/** `only` has substrings of names: `redis` selects all cases in Redis mode. */
export function chosen({ short, only }: Pick<Options, 'short' | 'only'>): Case[] {
  if (only.length > 0) return CASES.filter(({ name }) => only.some((part) => name.includes(part)))
  return CASES.filter(({ essential }) => essential || !short)
}
