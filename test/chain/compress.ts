/**
 * Alerting rules for a world in which time runs faster: every duration in them divided. What a rule compares stays as it
 * is, names of recorded series too. Pure.
 */
import { parser } from '@prometheus-io/lezer-promql'
import { parse, stringify } from 'yaml'

export interface Compression {
  readonly factor: number
  /** Time between two scrapes, in the compressed world. */
  readonly scrapeSeconds: number
}

interface Rule {
  readonly expr: string
  readonly for?: string
  readonly keep_firing_for?: string
}

interface Group {
  readonly interval?: string
  readonly rules: readonly Rule[]
}

interface RuleFile {
  readonly groups: readonly Group[]
}

/** Fewer samples than this make no rate one can trust. */
const LEAST_SCRAPES = 4

const UNIT_SECONDS = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 } as const

/** Throws when a window would hold too few scrapes. */
export function compressRules(yaml: string, compression: Compression): string {
  const { groups } = parse(yaml) as RuleFile
  return stringify({ groups: groups.map((group) => compressGroup(group, compression)) })
}

function compressGroup(group: Group, compression: Compression): Group {
  const rules = group.rules.map((rule) => compressRule(rule, compression))
  return { ...withDuration(group, 'interval', compression), rules }
}

function compressRule(rule: Rule, compression: Compression): Rule {
  const sooner = withDuration(withDuration(rule, 'for', compression), 'keep_firing_for', compression)
  return { ...sooner, expr: compressQuery(rule.expr, compression) }
}

/** Throws when a window would hold too few scrapes, or the query cannot be parsed. */
export function compressQuery(query: string, compression: Compression): string {
  const found = durationsIn(query)
  let compressed = ''
  let end = 0
  for (const { from, to, isWindow } of found) {
    const text = query.slice(from, to)
    const seconds = secondsOf(text) / compression.factor
    if (isWindow && seconds < compression.scrapeSeconds * LEAST_SCRAPES)
      throw new Error(`${seconds} s instead of ${text} hold too few scrapes: ${query}`)
    compressed += query.slice(end, from) + durationOf(seconds)
    end = to
  }
  return compressed + query.slice(end)
}

interface Duration {
  readonly from: number
  readonly to: number
  /** It is how far a rate or the like looks back. */
  readonly isWindow: boolean
}

function durationsIn(query: string): Duration[] {
  const durations: Duration[] = []
  parser.parse(query).iterate({
    enter: ({ name, type, from, to, node }) => {
      if (type.isError) throw new Error(`This is no PromQL at ${from}: ${query}`)
      if (name === 'NumberDurationLiteralInDurationContext')
        durations.push({ from, to, isWindow: node.parent?.parent?.name === 'MatrixSelector' })
    },
  })
  return durations
}

function withDuration<T extends object>(of: T, name: string, { factor }: Compression): T {
  const text: unknown = Object.entries(of).find(([key]) => key === name)?.[1]
  return typeof text === 'string' ? { ...of, [name]: durationOf(secondsOf(text) / factor) } : of
}

/** `1h30m`, or a number of seconds. Throws when it is neither. */
export function secondsOf(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text)
    throw new Error(`${text} is no duration.`)
  return parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS],
    0,
  )
}

function durationOf(seconds: number): string {
  return `${Math.round(seconds * 1_000)}ms`
}
