import { expect, test } from 'vitest'
import { panelQueries, substituted, variableQueries } from '../../chain/dashboards.ts'

test.each([
  ['rate(x{job=~"$job"}[$__rate_interval])', 'rate(x{job=~".+"}[5m])'],
  ['x{job=~"${job}", instance=~"${instance:regex}"}', 'x{job=~".+", instance=~".+"}'],
  ['increase(x[$__range])', 'increase(x[1h])'],
])('%s becomes %s', (expr, query) => {
  expect(substituted(expr)).toBe(query)
})

test('queries of folded rows are found too', () => {
  const panels = [
    { title: 'Rate', targets: [{ expr: 'a' }, { expr: 'b' }] },
    { title: 'Row', panels: [{ title: 'Folded', targets: [{ expr: 'c' }] }] },
  ]
  expect(panelQueries({ title: 'Service', panels })).toEqual([
    { location: 'Service, Rate', query: 'a' },
    { location: 'Service, Rate', query: 'b' },
    { location: 'Service, Folded', query: 'c' },
  ])
})

test('of the variables those that ask Prometheus are found', () => {
  const list = [
    { name: 'datasource', type: 'datasource', query: 'prometheus' },
    { name: 'job', type: 'query', query: 'label_values(up, job)' },
    { name: 'instance', type: 'query', query: { query: 'label_values(up{job=~"$job"}, instance)' } },
  ]
  expect(variableQueries({ title: 'Service', panels: [], templating: { list } })).toEqual([
    { location: 'Service, $job', label: 'job', selector: 'up' },
    { location: 'Service, $instance', label: 'instance', selector: 'up{job=~".+"}' },
  ])
})

test('a variable whose query nobody understands is an error', () => {
  const list = [{ name: 'x', type: 'query', query: 'query_result(up)' }]
  expect(() => variableQueries({ title: 'Service', panels: [], templating: { list } })).toThrow(
    'The variable x of Service has a query of an unknown kind: query_result(up)',
  )
})
