/** Two thousand records and answers drawn by a seed; `npm run test:fuzz` takes more, and says how to replay one of them. */
import { expect, inject, test } from 'vitest'
import { DELIVERIES } from '../../src/core/delivery.ts'
import { playFuzz } from '../fuzz/play.ts'
import { describe as report, NO_PROBLEMS } from '../fuzz/report.ts'
import { MAX_MEMORY_MB } from '../fuzz/service.ts'

const RECORDS = 1_000
/** The same each time, so that the same code gives the same answer; `npm run test:fuzz` takes another seed each time. */
const SEED = 456_302
/** For a machine that is slow or shared. */
const SLACK = 4

test.concurrent.for(DELIVERIES)(
  `${RECORDS} random records (seed ${SEED}) come out once each, %s`,
  { timeout: 120_000 },
  async (delivery) => {
    const figures = await playFuzz({
      stack: { brokers: inject('brokers'), registryUrl: inject('registryUrl') },
      delivery,
      seed: SEED,
      records: RECORDS,
      only: null,
      slack: SLACK,
      outageEvery: null,
      maxAgeS: 10,
      onProgress: () => {},
      onLog: () => {},
    })
    if (figures.problems.length > 0) process.stdout.write(`${report(figures)}\n`)
    expect(figures.problemCount).toEqual(NO_PROBLEMS)
    expect(figures).toMatchObject({ isAlive: true, exitCode: 0 })
    expect(figures.peakMemoryMb).toBeLessThan(MAX_MEMORY_MB)
  },
)
