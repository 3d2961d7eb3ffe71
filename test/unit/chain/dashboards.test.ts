import { expect, test } from 'vitest'
import { panelQueries, substituted, variableQueries } from '../../chain/dashboards.ts'

test.each([
  ['rate(x{job=~"$job"}[$__rate_interval])', 'rate(x{job=~".+"}[5m])'],
  ['x{job=~"${job}", instance=~"${instance:regex}"}', 'x{job=~".+", instance=~".+"}'],
  ['increase(x[$__range])', 'increase(x[1h])'],
])('the query %s becomes %s', (expr, query) => {
  expect(substituted(expr)).toBe(query)
})

test('finds queries in collapsed rows', () => {
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

test('finds the variables that query Prometheus', () => {
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

test('a variable with an unsupported query is an error', () => {
  const list = [{ name: 'x', type: 'query', query: 'query_result(up)' }]
  expect(() => variableQueries({ title: 'Service', panels: [], templating: { list } })).toThrow(
    'The variable x of Service does not query label_values(selector, label): query_result(up)',
  )
})
