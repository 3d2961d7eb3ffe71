import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { planEvents } from '../../dev/demo/plan.ts'
import { sendEvents } from '../../dev/demo/send.ts'
import { avroEncoder } from '../../dev/harness/events.ts'
import { compressQuery } from './compress.ts'
import { panelQueries, variableQueries, type Dashboard } from './dashboards.ts'
import { alertsOf, type Fault } from './fault.ts'
import { DELIVERY_FAULTS } from './faults/delivery.ts'
import { OUTCOME_FAULTS } from './faults/outcomes.ts'
import { REPLICA_FAULTS } from './faults/replicas.ts'
import { BUDGET_FAULTS, LAST_FAULT, UPSTREAM_FAULTS } from './faults/upstream.ts'
import type { Rule } from './prometheus-api.ts'
import { COMPRESSION, startRig, type Rig } from './rig.ts'

/** Faults that delay events come first, because late events count against an error budget for a long time. */
const FAULTS: readonly Fault[] = [
  ...BUDGET_FAULTS,
  ...REPLICA_FAULTS,
  ...DELIVERY_FAULTS,
  ...UPSTREAM_FAULTS,
  ...OUTCOME_FAULTS,
  LAST_FAULT,
]

/**
 * Alerts that no fault in this suite triggers, with the reason. `promtool test rules` tests each of them with
 * synthetic series.
 */
const NOT_PROVOKED: Readonly<Record<string, string>> = {
  CheckResultOffsetCommitFailures:
    'Three commits must fail within ten minutes (six seconds here), but without Kafka a single one takes the six seconds of the session timeout.',
  CheckResultClockWrong:
    'The replicas use the clock of this machine. test/integration/cases (answers, outputs) covers a wrong clock.',
  CheckResultLeaderSilent:
    'The only broker is also the group coordinator. test/integration/cases/lag covers a silent leader.',
  CheckResultOffsetsLost:
    'Retention would delete records that other faults need. test/integration/cases/logs covers deleted offsets.',
  CheckResultPausedByThrottling:
    'The simulator sends no retry hints of seconds. test/integration/cases/answers covers long hints.',
}

/** Metrics for which only a fault of {@link NOT_PROVOKED} would create a series. */
const WITHOUT_DATA = ['checkresult_partition_leader_silent_seconds']

const DASHBOARDS = fileURLToPath(new URL('../../helm/checkresult-stream/files/dashboards', import.meta.url))
const DEMO_EVENTS = 400
const EVENTS_PER_SECOND = 40
/** No alert may fire for this long before the first fault. */
const QUIET_MS = 5_000
const MAX_WAIT_MS = 45_000
/** There are enough decisions for the baselines of the pass rate and the risk rate. */
const USUAL_IS_KNOWN =
  'checkresult:settled_before:increase6h >= 200 and checkresult:checked_before:increase6h >= 200'
/** The windows of error budgets take minutes here too. */
const BUDGET_MAX_WAIT_MS = 280_000

const running = new AsyncDisposableStack()
const startedMs = Date.now()
let rig: Rig
let hasFailed = false

beforeAll(async () => {
  rig = await startRig(running)
})

afterEach(({ task }) => {
  hasFailed ||= task.result?.state === 'fail'
})

afterAll(async () => {
  if (hasFailed) process.stdout.write(`Alerts over time:\n${rig.watch.story()}\n`)
  await running.disposeAsync()
})

test('Prometheus scrapes both replicas and evaluates every rule without errors', async () => {
  await expect.poll(async () => rig.api.healthyTargets(), { timeout: MAX_WAIT_MS }).toBe(2)
  await expect.poll(async () => rulesThatAre('unknown'), { timeout: MAX_WAIT_MS }).toEqual([])
  expect(await rulesThatAre('err')).toEqual([])
})

test('every alert has a fault that triggers it, or a reason why it has none', async () => {
  const known = (await rig.api.rules()).filter(({ type }) => type === 'alerting').map(({ name }) => name)
  const covered = [...FAULTS.flatMap(alertsOf), ...Object.keys(NOT_PROVOKED)]
  expect(covered.sort()).toEqual([...new Set(known)].sort())
})

test('no alert fires under normal load', { timeout: 2 * MAX_WAIT_MS }, async () => {
  const { kafka, stack, environment, load, watch } = rig
  const { input } = environment.topics
  await sendEvents(planEvents(DEMO_EVENTS), {
    kafka,
    topic: input,
    encodeAvro: await avroEncoder(stack.registryUrl, input),
    perSecond: EVENTS_PER_SECOND,
    onSent: () => undefined,
  })
  running.defer(await load.send(EVENTS_PER_SECOND))
  await watch.untilQuiet(QUIET_MS, MAX_WAIT_MS)
  await expect.poll(async () => rig.api.seriesNow(USUAL_IS_KNOWN), { timeout: MAX_WAIT_MS }).toBe(1)
  expect(watch.firing).toEqual([])
})

test.each(FAULTS)('alerts fire when $name', { timeout: 4 * MAX_WAIT_MS }, async (fault) => {
  const { watch } = rig
  await expect.poll(() => watch.stillFiring(alertsOf(fault)), { timeout: MAX_WAIT_MS }).toEqual([])
  const sinceMs = performance.now()
  try {
    for (const { do: play, fires } of fault.stages) {
      await play(rig)
      await expect.poll(() => watch.silent(fires, sinceMs), { timeout: MAX_WAIT_MS }).toEqual([])
    }
  } finally {
    await fault.heal(rig)
  }
})

test('every alert resolves after its fault ends', { timeout: BUDGET_MAX_WAIT_MS + MAX_WAIT_MS }, async () => {
  await expect.poll(() => rig.watch.firing, { timeout: BUDGET_MAX_WAIT_MS }).toEqual([])
})

test('every query of the dashboards returns data', async () => {
  const range = { startMs: startedMs, endMs: Date.now(), stepMs: 1_000 }
  const dashboards = await readDashboards()
  const empty: string[] = []
  for (const { location, query } of dashboards.flatMap(panelQueries)) {
    if (WITHOUT_DATA.some((metric) => query.includes(metric))) continue
    const series = await rig.api.seriesWithData(compressQuery(query, COMPRESSION), range)
    if (series === 0) empty.push(`${location}: ${query}`)
  }
  for (const { location, label, selector } of dashboards.flatMap(variableQueries)) {
    if ((await rig.api.labelValues(label, selector)).length === 0) empty.push(`${location}: ${selector}`)
  }
  expect(dashboards.flatMap(panelQueries).length).toBeGreaterThan(0)
  expect(empty).toEqual([])
})

async function rulesThatAre(health: Rule['health']): Promise<readonly Rule[]> {
  return (await rig.api.rules()).filter((rule) => rule.health === health)
}

async function readDashboards(): Promise<Dashboard[]> {
  const names = await readdir(DASHBOARDS)
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(`${DASHBOARDS}/${name}`, 'utf8')) as Dashboard),
  )
}
