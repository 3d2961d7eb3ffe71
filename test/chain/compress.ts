/**
 * Rewrites alerting rules so that time passes faster: divides windows, offsets and `for` durations by a factor.
 * Thresholds stay as they are, except ages (the time since something happened, compared with a number of seconds),
 * which are divided by a smaller factor because heartbeats and events age at their normal pace here. Pure.
 */
import { parser } from '@prometheus-io/lezer-promql'
import { parse, stringify } from 'yaml'

export interface Compression {
  readonly factor: number
  readonly ageFactor: number
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

/** A rate over fewer samples is not reliable. */
const MIN_SCRAPES = 4

const COMPARISONS: readonly string[] = ['Gtr', 'Gte', 'Lss', 'Lte']
/** `time() - x`, a series recorded from that, or a gauge of a duration. */
const AGE =
  /\btime\(\)|_age_seconds\b|\b(checkresult_open_transaction|checkresult_partition_leader_silent)_seconds\b/

const UNIT_SECONDS = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 } as const

/** Throws if a window would contain too few scrapes. */
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

/** Throws if a window would contain too few scrapes or the query cannot be parsed. */
export function compressQuery(query: string, compression: Compression): string {
  let compressed = ''
  let end = 0
  for (const time of timesIn(query)) {
    compressed += query.slice(end, time.from) + shorter(query, time, compression)
    end = time.to
  }
  return compressed + query.slice(end)
}

interface Time {
  readonly from: number
  readonly to: number
  /** A window is the range of a function such as `rate`. */
  readonly kind: 'window' | 'offset' | 'age'
}

function shorter(query: string, { from, to, kind }: Time, compression: Compression): string {
  const text = query.slice(from, to)
  if (kind === 'age') return String(Number(text) / compression.ageFactor)
  const seconds = secondsOf(text) / compression.factor
  if (kind === 'window' && seconds < compression.scrapeSeconds * MIN_SCRAPES)
    throw new Error(`${seconds} s instead of ${text} contain too few scrapes: ${query}`)
  return durationOf(seconds)
}

function timesIn(query: string): Time[] {
  const times: Time[] = []
  parser.parse(query).iterate({
    enter: ({ name, type, from, to, node }) => {
      if (type.isError) throw new Error(`Invalid PromQL at position ${from}: ${query}`)
      if (name === 'NumberDurationLiteralInDurationContext') {
        const isWindow = node.parent?.parent?.name === 'MatrixSelector'
        times.push({ from, to, kind: isWindow ? 'window' : 'offset' })
      }
      if (name === 'NumberDurationLiteral' && node.parent !== null) {
        const { parent } = node
        const isCompared = COMPARISONS.some((comparison) => parent.getChild(comparison) !== null)
        if (isCompared && AGE.test(query.slice(parent.from, from))) times.push({ from, to, kind: 'age' })
      }
    },
  })
  return times
}

function withDuration<T extends object>(of: T, name: string, { factor }: Compression): T {
  const text: unknown = Object.entries(of).find(([key]) => key === name)?.[1]
  return typeof text === 'string' ? { ...of, [name]: durationOf(secondsOf(text) / factor) } : of
}

/** Seconds of `1h30m` or of a plain number. Throws if the text is neither. */
export function secondsOf(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text)
    throw new Error(`${text} is not a duration.`)
  return parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS],
    0,
  )
}

function durationOf(seconds: number): string {
  return `${Math.round(seconds * 1_000)}ms`
}
