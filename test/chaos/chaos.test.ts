/**
 * Plays every selected scenario on one cluster, one after the other. The arguments of `npm run test:chaos` select
 * scenarios and size.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../dev/stack/cluster.ts'
import { readOptions } from './options.ts'
import { seeded } from '../support/random.ts'
import { keepFigures, printTable, saveFigures } from './report.ts'
import { holds, playScenario, type Figures } from './scenario.ts'
import { chosen } from './scenarios.ts'

const options = readOptions(process.env)
const random = seeded(options.seed)
const scenarios = chosen(options)
const played: Figures[] = []
let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster()
})

afterAll(async () => {
  await cluster?.stop()
  printTable(played, options)
  if (options.save && played.length === scenarios.length && played.every(holds))
    await saveFigures(played, options)
})

describe('every event comes out exactly once, no retry is early, and work resumes in time', () => {
  test.for(scenarios)('$name: $fault', async (scenario) => {
    const figures = await playScenario(scenario, {
      cluster,
      random,
      events: options.events,
      slack: options.slack,
      logsDir: options.logs,
    })
    played.push(figures)
    keepFigures(played, options)
    expect(figures).toSatisfy(holds)
  })
})
