import { defineConfig } from 'vitest/config'
import { COMPILE_CACHE } from './dev/harness/commands.ts'
import { LongestFirst } from './test/support/longest-first.ts'

// For the workers, which all load the same libraries.
process.env['NODE_COMPILE_CACHE'] ??= COMPILE_CACHE

const report = process.env['TEST_REPORT']

/** These tests count events per second, so they must not run beside others. */
const ALONE = ['quota', 'quota-replicas', 'static-membership', 'demo'].map(
  (name) => `test/integration/${name}.test.ts`,
)

/** The limits of tests are not about speed: shared cores may be several times slower than usual. */
const PATIENCE = { testTimeout: 30_000, expect: { poll: { timeout: 10_000, interval: 20 } } }

const integration = {
  ...PATIENCE,
  globalSetup: ['test/support/stack-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
}

export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...PATIENCE,
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          maxWorkers: 2, // with one worker, the default on two cores, vitest would run this project last
          isolate: false, // loading the same libraries for each file took a third of the time
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...integration,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: ALONE,
          // They share one Kafka. On two cores, more files at once would only wait for each other.
          maxWorkers: 2,
          maxConcurrency: 30, // of tests that wait for time to pass
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...integration,
          name: 'alone',
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
