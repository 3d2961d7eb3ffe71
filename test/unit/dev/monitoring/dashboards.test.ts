/** The rules of Grafana's dashboard linter and a few of our own. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus'
import { describe, expect, test } from 'vitest'
import { businessDashboard } from '../../../../dev/monitoring/dashboards/business.ts'
import { serviceDashboard } from '../../../../dev/monitoring/dashboards/service.ts'
import { knownMetrics, unknownIn } from '../../../support/known-metrics.ts'
import { parseQuery, type Selector } from '../../../support/promql.ts'

const known = await knownMetrics()
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }

interface Variable {
  readonly name: string
  readonly query: string | { query: string }
}

function targetsOf(panel: Panel): Dataquery[] {
  return (panel.targets ?? []) as unknown as Dataquery[]
}

describe.each([businessDashboard(), serviceDashboard()])('dashboard $uid', (board) => {
  const all = (board.panels ?? []) as Panel[]
  const panels = all.filter(({ type }) => type !== 'row')
  const queries = panels.flatMap((panel) => targetsOf(panel).map((target) => ({ panel, target })))
  const variables = (board.templating?.list ?? []) as unknown as Variable[]

  test('imports identically everywhere and is read-only in Grafana', () => {
    expect(board.uid).toMatch(/^checkresult-[a-z]+$/)
    expect(board.schemaVersion).toBe(42)
    expect(board.editable).toBe(false)
    expect(board.id).toBeUndefined()
    expect(board.tags).toEqual(['checkresult'])
    expect(board.description).toMatch(/^[A-Z].+\.$/)
  })

  test('has variables for data source, job and instance', () => {
    expect(variables.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance'])
    const [datasource, ...chosen] = variables
    expect(datasource).toMatchObject({ type: 'datasource', query: 'prometheus', label: 'Data source' })
    for (const [at, variable] of chosen.entries()) {
      expect(variable).toMatchObject({
        type: 'query',
        label: ['Job', 'Instance'][at],
        datasource: DATASOURCE,
        multi: true,
        includeAll: true,
        allValue: '.+',
        refresh: 2,
      })
    }
  })

  test('queries the values of its variables from existing series', () => {
    const asked = variables.slice(1).map(({ query }) => (typeof query === 'string' ? query : query.query))
    for (const query of asked) {
      const [, series = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? []
      expect(unknownIn(`group by (${label}) (${series})`, known)).toEqual([])
    }
  })

  test('links to the other dashboards and shows alerts and restarts as annotations', () => {
    expect(board.links).toMatchObject([
      { type: 'dashboards', tags: ['checkresult'], keepTime: true, includeVars: true },
    ])
    const annotations = board.annotations?.list ?? []
    expect(annotations.map(({ name }) => name)).toEqual(['Alerts', 'Starts'])
    for (const { expr = '', datasource } of annotations) {
      expect(datasource).toEqual(DATASOURCE)
      expect(unknownIn(expr, known)).toEqual([])
    }
  })

  test('has unique panel ids and no overlapping panels', () => {
    expect(all.map(({ id }) => id)).toEqual(all.map((_, at) => at + 1))
    const taken = new Set<string>()
    for (const { gridPos: { x, y, w, h } = { x: 0, y: 0, w: 0, h: 0 } } of all) {
      expect(x + w).toBeLessThanOrEqual(24)
      for (let at = 0; at < w * h; at += 1) {
        const cell = `${x + (at % w)}:${y + Math.floor(at / w)}`
        expect(taken).not.toContain(cell)
        taken.add(cell)
      }
    }
  })

  test.each(panels)('has a description for the panel "$title"', (panel) => {
    expect(panels.filter(({ title }) => title === panel.title)).toHaveLength(1)
    expect(panel.title).toMatch(/^[A-Z].+[^.]$/)
    expect(panel.description).toMatch(/^[A-Z].+\.$/)
    expect(panel.fieldConfig?.defaults.unit).toMatch(/^\w+$/)
    expect(panel.datasource).toEqual(DATASOURCE)
    const refIds = targetsOf(panel).map(({ refId }) => refId)
    expect(refIds).not.toEqual([])
    expect(new Set(refIds).size).toBe(refIds.length)
  })

  test.each(queries)('queries only existing series in $panel.title, $target.refId', ({ panel, target }) => {
    expect(unknownIn(target.expr, known)).toEqual([])
    expect(target.datasource).toEqual(DATASOURCE)
    expect(panel.type === 'table' || target.legendFormat !== '').toBe(true)
    expect(parseQuery(target.expr).selectors.flatMap(faults)).toEqual([])
  })
})

/** Faults that Grafana's linter would report for a selector. */
function faults(selector: Selector): string[] {
  const { metric, over, range } = selector
  const has = (label: string): boolean =>
    selector.matchers.some((one) => one.label === label && one.operator === '=~' && one.value === `$${label}`)
  // A recorded series belongs to the service and is already summed over replicas.
  const recorded = metric.startsWith('checkresult:')
  const counter = /_(total|bucket|sum|count)$/.test(metric)
  // An increase over the visible range does not depend on the scrape interval.
  const whole = over === 'increase' && range === '6h'
  return [
    ...(has('job') ? [] : [`${metric} is not held to the chosen job`]),
    ...(has('instance') || recorded ? [] : [`${metric} is not held to the chosen instance`]),
    ...(!counter || over === 'rate' || over === 'increase' ? [] : [`${metric} is a counter`]),
    ...(over === null || range === '5m' || whole ? [] : [`${metric} is not taken over $__rate_interval`]),
  ]
}
