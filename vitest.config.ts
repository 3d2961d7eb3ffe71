import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

/** They count what happens within a second, which another test beside them would spoil. */
const ALONE = ['test/integration/quota.test.ts', 'test/integration/demo.test.ts']

/** Tests bound what they wait for, not how fast the machine is: shared cores may be several times slower than usual. */
const PATIENCE = { testTimeout: 30_000, expect: { poll: { timeout: 10_000 } } }

const integration = {
  ...PATIENCE,
  globalSetup: ['test/support/stack-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
}

export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        test: {
          ...PATIENCE,
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          maxWorkers: 2, // with one worker, its default on two cores, vitest would run it last
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...integration,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: ALONE,
          // One Kafka serves them all, and on two cores more files at once only wait for each other.
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
