import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { businessDashboard } from '../../../../dev/monitoring/dashboards/business.ts'
import { serviceDashboard } from '../../../../dev/monitoring/dashboards/service.ts'
import { allAlerts } from '../../../../dev/monitoring/rules.ts'

const RUNBOOK = readFileSync(new URL('../../../../docs/runbook.md', import.meta.url), 'utf8')
const sections = new Map(
  RUNBOOK.split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section]),
)

test('the runbook has exactly one section for each alert', () => {
  expect([...sections.keys()].toSorted()).toEqual(allAlerts.map(({ alert }) => alert).toSorted())
})

describe.each(allAlerts)('runbook section of $alert', ({ alert, severity, dashboard, panel }) => {
  const section = sections.get(alert) ?? ''

  test('states the severity and the panel to open first', () => {
    const [, board = '', title = ''] = / · (service|verifications), "(.+)"$/m.exec(section) ?? []
    expect(section).toContain(`\n\n${severity}, `)
    expect(board).toBe(dashboard === 'service' ? 'service' : 'verifications')
    expect(title).toBe(panel)
  })

  test('has the parts meaning, checks, actions and resolution in this order', () => {
    const found = [...section.matchAll(/^\*\*(\w+)\.?\*\*/gm)].map(([, word]) => word)
    expect(found).toEqual(['Means', 'Check', 'Do', 'Clears'])
  })
})

/** Messages of the log that the runbook quotes by their beginning. */
const LOG_MESSAGES = [
  'Partitions assigned.',
  'Outputs could not be written',
  'A partition is blocked',
  'The circuit breaker is open',
  'The leader of these partitions does not answer',
  'An open transaction of a producer',
  'Records were deleted before the service had processed them',
  'Could not commit offsets',
  'Cannot renew the Alibaba Cloud credentials',
]

test('quotes only panel titles, legends and log messages', () => {
  const titles = [businessDashboard(), serviceDashboard()].flatMap(({ panels = [] }) =>
    panels.map(({ title = '' }) => title),
  )
  const words = ['service', 'verifications', 'passed', 'current rate']
  const known = new Set([...titles, ...LOG_MESSAGES, ...words])
  const quoted = [...RUNBOOK.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text.replaceAll(/\s+/g, ' '))
  expect(quoted.filter((text) => !known.has(text))).toEqual([])
})

test.each(LOG_MESSAGES)('quotes a log message that exists in src: %s', (message) => {
  const folder = new URL('../../../../src/', import.meta.url)
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  expect(RUNBOOK.replaceAll(/\s+/g, ' ')).toContain(`"${message}"`)
  expect(sources.some((text) => text.includes(`'${message}`) || text.includes(`\`${message}`))).toBe(true)
})

test('links only to existing sections', () => {
  const anchors = new Set([...sections.keys()].map((title) => title.toLowerCase()))
  const within = [...RUNBOOK.matchAll(/\]\(#(\w+)\)/g)].map(([, anchor = '']) => anchor)
  expect(within.filter((anchor) => !anchors.has(anchor))).toEqual([])
})
