/**
 * All tests. `npm test` runs the projects unit, integration and alone. Each other project is a suite with an npm script of
 * its own, because it takes long, needs more than Java, or must not share the machine.
 */
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { COMPILE_CACHE } from './dev/harness/commands.ts'
import { LongestFirst } from './test/support/longest-first.ts'

// For the workers, which all load the same libraries.
process.env['NODE_COMPILE_CACHE'] ??= COMPILE_CACHE

const report = process.env['TEST_REPORT']
/** A suite prints each test as soon as it ends. There are too many other tests for that. */
const reporter = ['unit', 'integration', 'alone'].some((project) => process.argv.includes(project))
  ? 'default'
  : 'verbose'

/** These tests count events per second, so they must not run beside others. */
const ALONE = ['quota', 'quota-replicas', 'static-membership', 'demo'].map(
  (name) => `test/integration/${name}.test.ts`,
)

/** The limits of tests are not about speed: shared cores may be several times slower than usual. */
const PATIENCE = { testTimeout: 30_000, expect: { poll: { timeout: 10_000, interval: 20 } } }
/** The first run of a suite may build its tools from source. */
const MINUTE_MS = 60_000

const integration = {
  ...PATIENCE,
  globalSetup: ['test/support/stack-setup.ts'],
  testTimeout: MINUTE_MS,
  hookTimeout: 2 * MINUTE_MS,
}

type TestOptions = TestProjectInlineConfiguration['test']

function suite(name: string, options: TestOptions): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      fileParallelism: false,
      hookTimeout: 3 * MINUTE_MS,
      sequence: { groupOrder: 2 },
      ...options,
    },
  }
}

export default defineConfig({
  test: {
    reporters: report === undefined ? [reporter] : [reporter, ['json', { outputFile: report }]],
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
      suite('chain', { testTimeout: 2 * MINUTE_MS }),
      suite('chaos', { testTimeout: 5 * MINUTE_MS }),
      suite('cluster', { testTimeout: 2 * MINUTE_MS, hookTimeout: 60 * MINUTE_MS }),
      suite('deploy', {
        testTimeout: MINUTE_MS,
        hookTimeout: 30 * MINUTE_MS,
        fileParallelism: true,
        maxWorkers: 2,
        sequence: { groupOrder: 1 },
      }),
      suite('fuzz', { testTimeout: 60 * MINUTE_MS }),
      suite('image', {
        globalSetup: ['test/support/stack-setup.ts'],
        testTimeout: 5 * MINUTE_MS,
        hookTimeout: 15 * MINUTE_MS,
        expect: { poll: { timeout: MINUTE_MS, interval: 250 } },
      }),
      suite('quota', { testTimeout: 3 * MINUTE_MS }),
    ],
  },
})
