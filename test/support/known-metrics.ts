/** All metrics and labels that rules and dashboards may use, from the service's own registry. */
import { RECORDINGS } from '../../dev/monitoring/rules.ts'
import { TOPICS, setUp } from './metrics.ts'
import { parseQuery, type Selector } from './promql.ts'

export interface Known {
  readonly type: string
  /** The known values of each label. An empty set allows any value. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>
}

const ANY: ReadonlySet<string> = new Set()
/** Labels that the scrape adds. */
const TARGET = ['namespace', 'job', 'instance'].map((label) => [label, ANY] as const)
/** Labels whose values come from outside. */
const OPEN = new Set(['topic', 'partition', 'version', 'revision', 'node'])
const SUFFIXES = ['', '_bucket', '_sum', '_count']

/** The metrics of one replica by name. Every series kind occurs at least once. */
export async function exposed(): Promise<ReadonlyMap<string, Known>> {
  const { metrics, scrape } = setUp()
  const [input = ''] = TOPICS
  metrics.lag(input, 0, 1)
  metrics.oldestUnsettled(input, 0, 1)
  metrics.blocked(input, 0, { offset: 1n, code: 'MESSAGE_TOO_LARGE' })
  metrics.openTransaction(input, 0, 90)
  metrics.leaderSilent(input, 0, 30)
  const { body } = await scrape()
  const found = new Map<string, { type: string; labels: Map<string, Set<string>> }>()
  for (const [, name = '', type = ''] of body.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    // There may have been no garbage collection yet.
    const labels = new Map(name === 'nodejs_gc_duration_seconds' ? [['kind', new Set<string>()]] : [])
    found.set(name, { type, labels })
  }
  for (const [, name = '', all = ''] of body.matchAll(/^(\w+)\{(.*)\} \S+$/gm)) {
    const labels = found.get(family(name, found))?.labels
    for (const [, label = '', value = ''] of all.matchAll(/(\w+)="([^"]*)"/g)) {
      const values = labels?.get(label) ?? new Set()
      labels?.set(label, OPEN.has(label) ? values : values.add(value))
    }
  }
  return found
}

function family(name: string, found: ReadonlyMap<string, unknown>): string {
  return found.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
}

/** All metrics, by the names that queries use. */
export async function knownMetrics(): Promise<ReadonlyMap<string, Known>> {
  const replica = [...(await exposed())].flatMap(([name, { type, labels }]) => {
    const names = type === 'histogram' ? SUFFIXES.map((suffix) => name + suffix) : [name]
    return names.map((each) => [each, { type, labels: new Map([...labels, ...TARGET]) }] as const)
  })
  const recorded = RECORDINGS.flatMap(({ rules }) => rules).map(
    ({ record }) => [record, { type: 'gauge', labels: new Map(TARGET.slice(0, 2)) }] as const,
  )
  return new Map<string, Known>([
    ...replica,
    ...recorded,
    ['up', { type: 'gauge', labels: new Map(TARGET) }],
    ['ALERTS', { type: 'gauge', labels: new Map([...TARGET, ['alertname', ANY], ['alertstate', ANY]]) }],
  ])
}

/** The metrics, labels and values of a query that do not exist. Empty if all exist. */
export function unknownIn(query: string, known: ReadonlyMap<string, Known>): string[] {
  const { errors, selectors, grouping } = parseQuery(query)
  const labels = new Set(selectors.flatMap(({ metric }) => [...(known.get(metric)?.labels.keys() ?? [])]))
  return [
    ...errors.map((error) => `invalid PromQL: ${error}`),
    ...selectors.flatMap((selector) => unknownInSelector(selector, known)),
    ...grouping.filter((label) => !labels.has(label)).map((label) => `no label ${label} to group by`),
  ]
}

function unknownInSelector({ metric, matchers }: Selector, known: ReadonlyMap<string, Known>): string[] {
  const found = known.get(metric)
  if (found === undefined) return [`no metric ${metric}`]
  return matchers.flatMap(({ label, operator, value }) => {
    const values = found.labels.get(label)
    if (values === undefined) return [`no label ${label} at ${metric}`]
    return values.size === 0
      ? []
      : unmatched(operator, value, values).map((one) => `no ${label} ${one} at ${metric}`)
  })
}

/** Every alternative must match a known value, also in negative matchers. */
function unmatched(operator: string, value: string, values: ReadonlySet<string>): string[] {
  const alternatives = operator.endsWith('~') ? value.split('|') : [value]
  return alternatives.filter((one) => {
    const matches = operator.endsWith('~')
      ? new RegExp(`^(?:${one})$`)
      : { test: (text: string) => text === one }
    return ![...values].some((text) => matches.test(text))
  })
}
