/** Two thousand random records and answers. `npm run test:fuzz` runs more and prints how to replay a single one. */
import { expect, inject, test } from 'vitest'
import { DELIVERIES } from '../../src/core/delivery.ts'
import { playFuzz } from '../fuzz/play.ts'
import { describe as report, NO_PROBLEMS } from '../fuzz/report.ts'
import { MAX_MEMORY_MB } from '../fuzz/service.ts'

const RECORDS = 1_000
/** Fixed, so that the same code gives the same outcome. `npm run test:fuzz` picks another seed each time. */
const SEED = 456_302
/** For slow or shared machines. */
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
